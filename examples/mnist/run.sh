#!/bin/sh
# Installs nnspec into .venv, fetches MNIST, trains LeNet-5, evaluates, exports, compares, reports, and predicts.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all]'
. ./examples/setup.sh
. ./examples/whole.sh
python -m examples.fetch mnist
whole lenet5 lenet5 # specs/lenet5.nnspec.yaml
nnspec predict runs/lenet5/model.onnx --limit 5 \
  --data 'idx: {images: data/mnist/t10k-images-idx3-ubyte, labels: data/mnist/t10k-labels-idx1-ubyte}'
