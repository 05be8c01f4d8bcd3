#!/bin/sh
# Installs nnspec and the package into .venv, proves its layers, trains a net with them on real digits, exports, and predicts;
# trains another without labels, by predicting rotations.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[test]'
. ./examples/setup.sh
python -m pip install --quiet --disable-pip-version-check --no-deps examples/plugin
python -m pytest -q -c /dev/null examples/plugin/tests
nnspec layers GatedLinearUnit
nnspec validate examples/plugin/digits.nnspec.yaml
nnspec train examples/plugin/digits.nnspec.yaml --out runs/gated_digits --overwrite
nnspec evaluate runs/gated_digits
nnspec export runs/gated_digits -o runs/gated_digits/digits.onnx
nnspec predict runs/gated_digits/digits.onnx --data 'builtin: digits' --limit 5
nnspec validate examples/plugin/rotation.nnspec.yaml
nnspec train examples/plugin/rotation.nnspec.yaml --out runs/rotated_digits --overwrite
nnspec report runs/rotated_digits
