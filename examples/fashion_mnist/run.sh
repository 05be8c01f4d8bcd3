#!/bin/sh
# Installs nnspec into .venv, fetches Fashion-MNIST, trains a small CNN, evaluates, exports, compares, reports, and predicts.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all]'
. ./examples/setup.sh
. ./examples/whole.sh
python -m examples.fetch fashion_mnist
whole fashion_mnist fashion_mnist # specs/fashion_mnist.nnspec.yaml
nnspec predict runs/fashion_mnist/model.onnx --limit 5 \
  --data 'idx: {images: data/fashion_mnist/t10k-images-idx3-ubyte}'
