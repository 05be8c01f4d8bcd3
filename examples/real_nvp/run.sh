#!/bin/sh
# Installs nnspec into .venv, trains a normalizing flow on scikit-learn's digits, and compares its log-likelihood with other densities.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all]'
. ./examples/setup.sh
. ./examples/whole.sh
python examples/real_nvp/make.py
whole real_nvp real_nvp # specs/real_nvp.nnspec.yaml
python examples/real_nvp/likelihood.py runs/real_nvp/model.onnx
