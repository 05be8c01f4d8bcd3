#!/bin/sh
# Installs nnspec into .venv, fetches MNIST, pre-trains on 60,000 images without labels, and trains a classifier on 500 with labels.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all]'
. ./examples/setup.sh
python -m examples.fetch mnist
python examples/contrastive/split.py
nnspec train specs/mnist_contrastive.nnspec.yaml --out runs/mnist_contrastive --overwrite
nnspec train specs/mnist_few_labels.nnspec.yaml --out runs/mnist_few_labels --overwrite
nnspec evaluate runs/mnist_few_labels
nnspec export runs/mnist_few_labels -o runs/mnist_few_labels/model.onnx
python examples/contrastive/compare.py
