#!/bin/sh
# Installs nnspec into .venv, fetches Reuters R8, trains a CNN on texts, evaluates, exports, compares, reports, and predicts.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all]'
. ./examples/setup.sh
. ./examples/whole.sh
python -m examples.fetch r8
whole text_cnn r8 # specs/text_cnn.nnspec.yaml
nnspec predict runs/r8/model.onnx --data data/r8/test.jsonl --limit 5
