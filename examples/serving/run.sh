#!/bin/sh
# Trains and exports the digits, and asks the file and a server of it without nnspec: from Python, and from Node where NODE_PATH
# names a node_modules with onnxruntime-node.
set -eu
cd "$(dirname "$0")/../.."
WANTED='.[all]'
. ./examples/setup.sh
here=examples/serving
work=runs/serving
mkdir -p "$work"
[ -f "$work/digits.onnx" ] || {
  nnspec train specs/digits.nnspec.yaml --out "$work/run" --overwrite
  nnspec export "$work/run" -o "$work/digits.onnx"
}
echo "they show    $(python "$here/pictures.py" "$work/digits.json")"
echo "file.py      $(python "$here/file.py" "$work/digits.onnx" "$work/digits.json")"
if command -v node > /dev/null && [ -n "${NODE_PATH:-}" ]; then
  # An ES module finds its packages beside itself alone.
  ln -sfn "$NODE_PATH" "$work/node_modules" && cp "$here/file.mjs" "$work/"
  echo "file.mjs     $(node "$work/file.mjs" "$work/digits.onnx" "$work/digits.json")"
fi
nnspec serve "$work/digits.onnx" --port 8017 > "$work/serve.log" &
server=$!
trap 'kill $server' EXIT
until python -c 'import urllib.request as r; r.urlopen("http://127.0.0.1:8017/v2/health/ready")' 2> /dev/null; do
  kill -0 $server || exit 1
  sleep 0.2
done
echo "over_http.py $(python "$here/over_http.py" http://127.0.0.1:8017 digits "$work/digits.json")"
