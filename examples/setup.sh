# Sourced: a virtual environment in .venv with what $WANTED names, made on the first run.
PYTHON=${PYTHON:-python3}
if ! [ -x .venv/bin/python ]; then
  "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "nnspec needs Python 3.11 or newer" >&2; exit 1; }
  "$PYTHON" -m venv .venv
fi
PATH=$PWD/.venv/bin:$PATH
python -m pip install --quiet --disable-pip-version-check -e "$WANTED"
