#!/bin/sh
# Installs nnspec into .venv, fetches nuclei and slices of CT, trains U-Nets on them, and one by hand in Keras beside them; figures and
# pictures of held-out images, and the exported files against Keras at sizes that were never trained.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all]'
. ./examples/setup.sh
python -m examples.fetch nuclei ct

# segment SPEC PICTURE [--set path=value]…
segment() {
  spec=specs/$1.nnspec.yaml run=runs/$1 picture=$2
  shift 2
  nnspec validate "$spec" --data "$@"
  nnspec train "$spec" --out "$run" --overwrite "$@"
  nnspec evaluate "$run"
  nnspec export "$run" -o "$run/model.onnx"
  python -m examples.segmentation.dice "$run" # RUN/dice.png
  python -m examples.segmentation.sizes "$run" "$picture"
  nnspec report "$run"
}

segment unet_nuclei data/nuclei/whole/images/000.png
python -m examples.segmentation.dice runs/unet_nuclei -o runs/unet_nuclei/whole.png \
  --images data/nuclei/whole/images --masks data/nuclei/whole/masks
python -m examples.segmentation.by_hand data/nuclei -o runs/by_hand_nuclei
segment unet_paper data/nuclei/wide_test/images/000.png --set params.base=8
segment unet_ct data/ct/test/images/006.png
python -m examples.segmentation.dice runs/unet_ct -o runs/unet_ct/between.png \
  --images data/ct/validation/images --masks data/ct/validation/masks
