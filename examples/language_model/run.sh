#!/bin/sh
# Installs nnspec into .venv, trains a language model of characters on the text of Python's language reference, exports it,
# and prints what n-grams come to on the same text.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all]'
. ./examples/setup.sh
python examples/language_model/text.py
python examples/language_model/ngrams.py
nnspec train specs/language_model.nnspec.yaml --out runs/language_model --overwrite
nnspec evaluate runs/language_model
nnspec export runs/language_model -o runs/language_model/language_model.onnx
