#!/bin/sh
# Installs nnspec into .venv, makes random sequences, trains the neural Turing machine on JAX, and counts wrong bits of the exported model.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all,jax]'
. ./examples/setup.sh
python examples/copy_task/make.py
run=runs/copy_task
nnspec train specs/neural_turing_machine.nnspec.yaml --backend jax --out $run --overwrite
nnspec export $run -o $run/model.onnx
python examples/copy_task/wrong_bits.py $run/model.onnx data/copy_task/test.npz data/copy_task/longer.npz
