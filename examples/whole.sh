# Sourced, after setup.sh: `whole SPEC RUN [--set path=value]…` trains a spec of the gallery, evaluates it on its test data, exports
# it, holds the exported model against Keras on all of them, and writes the report.
whole() {
  spec=specs/$1.nnspec.yaml run=runs/$2
  shift 2
  nnspec validate "$spec" --data "$@"
  nnspec train "$spec" --out "$run" --overwrite "$@"
  nnspec evaluate "$run"
  nnspec export "$run" -o "$run/model.onnx"
  python -m examples.compare "$run" "$run/model.onnx"
  nnspec report "$run"
}
