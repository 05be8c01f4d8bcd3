#!/bin/sh
# Nuclei from the PyPI package `stardist` into data/nuclei, slices of CT from `pyradiomics` into data/ct; see examples/fetch/masks.py.
set -eu
cd "$(dirname "$0")/../.."
python -m pip install --quiet --disable-pip-version-check -r examples/segmentation/requirements.txt
python -m examples.fetch nuclei ct
