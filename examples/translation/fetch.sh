#!/bin/sh
# German and English from the Debian package `trans-de-en`, into data/german_english. A Debian system fetches it without being root.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v apt-get > /dev/null || { echo "this needs apt-get: fetch the package trans-de-en, and run split.py on its file de-en" >&2; exit 1; }
(cd "$work" && apt-get download -qq trans-de-en && dpkg-deb -x trans-de-en_*.deb .)
python examples/translation/split.py "$work/usr/share/trans/de-en"
