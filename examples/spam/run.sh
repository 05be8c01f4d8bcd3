#!/bin/sh
# Installs nnspec into .venv, fetches the SpamAssassin corpus, trains, evaluates, exports, compares, reports, and asks of two messages.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all]'
. ./examples/setup.sh
. ./examples/whole.sh
python -m examples.fetch spam
whole spam spam # specs/spam.nnspec.yaml
printf '%s\n' 'Dear winner, claim your prize money now, click here!' 'Hi Tom, the patch builds fine on Debian.' > data/two_messages.txt
nnspec predict runs/spam/model.onnx --data 'text: data/two_messages.txt'
