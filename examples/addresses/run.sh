#!/bin/sh
# Installs nnspec into .venv, fetches the addresses, trains the tagger with its CRF and with a softmax per word, each with three seeds,
# and exports and compares the first.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all]'
. ./examples/setup.sh
python -m examples.fetch addresses
spec=specs/crf_tagger.nnspec.yaml
for seed in 1 2 3; do
  nnspec train $spec --out runs/addresses_crf_$seed --overwrite --set train.seed=$seed
  nnspec train $spec --out runs/addresses_softmax_$seed --overwrite --set train.seed=$seed \
    --set 'train.loss={scores: {SparseCategoricalCrossentropy: {from_logits: true}}}'
done
for run in runs/addresses_crf_? runs/addresses_softmax_?; do
  echo "$run"
  nnspec evaluate "$run"
done
nnspec export runs/addresses_crf_1 -o runs/addresses_crf_1/model.onnx
python -m examples.compare runs/addresses_crf_1 runs/addresses_crf_1/model.onnx
nnspec report runs/addresses_crf_1
