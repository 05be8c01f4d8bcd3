#!/bin/sh
# Installs nnspec into .venv, fetches the sunspots, trains eight nets side by side, and foretells with them.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all]'
. ./examples/setup.sh
. ./examples/whole.sh
python -m examples.fetch sunspots
whole sunspots sunspots # specs/sunspots.nnspec.yaml
nnspec predict runs/sunspots/model.onnx --data 'series: {csv: data/sunspots/test.csv, window: 12}' --limit 5
