#!/bin/sh
# Installs nnspec into .venv, trains on real digits, exports, verifies, and predicts.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all]'
. ./examples/setup.sh
nnspec validate specs/digits.nnspec.yaml
nnspec train specs/digits.nnspec.yaml --out runs/digits --overwrite
nnspec evaluate runs/digits
nnspec export runs/digits -o runs/digits/digits.onnx
nnspec predict runs/digits/digits.onnx --data 'builtin: digits' --limit 5
