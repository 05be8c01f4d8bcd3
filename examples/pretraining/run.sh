#!/bin/sh
# Installs nnspec into .venv, trains a denoising autoencoder on digits without labels, and classifiers on 500 with: one that starts
# from its encoder, and one from scratch.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all]'
. ./examples/setup.sh
python examples/pretraining/split.py
nnspec train specs/denoising_autoencoder.nnspec.yaml --out runs/denoising_autoencoder --overwrite
nnspec train specs/digits_pretrained.nnspec.yaml --out runs/digits_pretrained --overwrite
nnspec evaluate runs/digits_pretrained
nnspec export runs/digits_pretrained -o runs/digits_pretrained/digits_pretrained.onnx
python examples/pretraining/compare.py
