#!/bin/sh
# Installs nnspec with its test tools into .venv and runs the checks. NNSPEC_FULL=1 runs the long proofs too.
set -eu
cd "$(dirname "$0")/.."
WANTED='.[test]'
. ./examples/setup.sh
ruff check .
ruff format --check .
mypy
python -m pytest --numprocesses auto --dist loadfile "$@"
