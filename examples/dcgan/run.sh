#!/bin/sh
# Installs nnspec into .venv, fetches MNIST, trains the DCGAN and a classifier of real digits, and lets that judge it.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all]'
. ./examples/setup.sh
python -m examples.fetch mnist
nnspec train specs/dcgan.nnspec.yaml --out runs/dcgan --overwrite
nnspec train specs/lenet5.nnspec.yaml --out runs/lenet5 --overwrite --set train.epochs=5
nnspec export runs/dcgan -o runs/dcgan/dcgan.onnx
nnspec generate runs/dcgan/dcgan.onnx --number 100 -o runs/dcgan/digits.png
nnspec report runs/dcgan
python -m examples.dcgan.judge runs/dcgan runs/lenet5
