#!/bin/sh
# Installs nnspec into .venv, composes captioned scenes of Fashion-MNIST, trains a captioner, exports it, and captions test scenes.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all]'
. ./examples/setup.sh
python -m examples.fetch fashion_mnist
python -m examples.captions.compose
python -m examples.captions.frequent
nnspec train specs/captioner.nnspec.yaml --out runs/captioner
nnspec evaluate runs/captioner
nnspec export runs/captioner -o runs/captioner/model.onnx
nnspec generate runs/captioner/model.onnx --limit 5 --data 'images: {csv: data/captions/test.csv, column: file}'
