#!/bin/sh
# Installs nnspec into .venv, fetches three sets of the UCR archive, and trains the FCN on each of them.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all]'
. ./examples/setup.sh
. ./examples/whole.sh
python -m examples.fetch gunpoint italypowerdemand osuleaf
# specs/series_fcn.nnspec.yaml; as the paper, a batch is a tenth of the training set, at most 16
whole series_fcn gunpoint
whole series_fcn italypowerdemand --set params.set=italypowerdemand --set params.batch_size=6
whole series_fcn osuleaf --set params.set=osuleaf --set params.classes=6 --set params.batch_size=16 \
  --set params.epochs=250 --set params.patience=6
nnspec predict runs/osuleaf/model.onnx --data data/osuleaf/test.jsonl --limit 5
