#!/bin/sh
# Installs nnspec into .venv, fetches MNIST, trains LeNet-5 for 4 epochs, makes it fully convolutional, and reads canvases full of digits.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all]'
. ./examples/setup.sh
python -m examples.fetch mnist
nnspec train specs/lenet5.nnspec.yaml --set train.epochs=4 --out runs/lenet5 --overwrite
nnspec evaluate runs/lenet5
nnspec convolutionalize runs/lenet5 -o runs/lenet5_fcn
nnspec inspect runs/lenet5_fcn/lenet5_fcn.nnspec.yaml
python -m examples.canvas runs/lenet5_fcn/lenet5_fcn.onnx --figure runs/lenet5_fcn/canvas.png
