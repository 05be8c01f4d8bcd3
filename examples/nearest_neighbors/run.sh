#!/bin/sh
# Installs nnspec into .venv, trains an embedding of digits, builds its network from the run, and compares nearest neighbors.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all]'
. ./examples/setup.sh
nnspec train specs/digits_triplet.nnspec.yaml --out runs/digits_triplet --overwrite
nnspec build examples/nearest_neighbors/embedding.nnspec.yaml -o runs/digits_embedding
python examples/nearest_neighbors/neighbors.py
