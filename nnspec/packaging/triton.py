"""A model repository for NVIDIA Triton.

Source: Triton Inference Server, ``model_repository`` and ``model_configuration``; ``ModelConfig`` of ``model_config.proto``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nnspec.packaging.contents import FILE_NAME, Contents
from nnspec.printable import json_text, printable
from nnspec.runtime.ports import Port

BATCH_ROWS = 64
_QUEUE = 256
_DELAY_MICROSECONDS = 500
_TIMEOUT_MICROSECONDS = 30_000_000


def repository(contents: Contents) -> dict[str, bytes]:
    """The files of a repository with one model, by path.

    Args:
        contents: The contents of the package.
    """
    classes = contents.predictor.classes
    outputs = contents.predictor.outputs
    # Triton reads one label per output position: a single unit for two classes has none.
    labels = {
        name: f"{name if FILE_NAME.fullmatch(name) else f'output_{number}'}.labels.txt"
        for number, (name, named) in enumerate(classes.items())
        if name in outputs and len(outputs[name].shape) == 2 and outputs[name].shape[1] == len(named)
    }
    text = config(contents.name, contents.predictor.inputs, outputs, joins=contents.joins, labels=labels)
    files = {"config.pbtxt": text.encode(), "1/model.onnx": contents.model}
    files |= {file: "".join(f"{_line(label)}\n" for label in classes[name]).encode() for name, file in labels.items()}
    return {f"{contents.name}/{file}": content for file, content in files.items()}


def config(
    name: str, inputs: Mapping[str, Port], outputs: Mapping[str, Port], *, joins: bool, labels: Mapping[str, str] | None = None
) -> str:
    """Build a ``config.pbtxt``: types, batching and queue limits.

    Args:
        name: The name of the model.
        inputs: The inputs.
        outputs: The outputs.
        joins: Whether requests may be batched.
        labels: The file of the class names of each output.
    """
    lines = [f"name: {_quoted(name)}", 'backend: "onnxruntime"', f"max_batch_size: {BATCH_ROWS if joins else 0}"]
    lines += _ports("input", inputs.values(), joins, {})
    lines += _ports("output", outputs.values(), joins, labels or {})
    lines += ["version_policy { latest { num_versions: 1 } }"]
    if joins:
        lines += [
            "dynamic_batching {",
            f"  max_queue_delay_microseconds: {_DELAY_MICROSECONDS}",
            "  default_queue_policy {",
            "    timeout_action: REJECT",
            f"    default_timeout_microseconds: {_TIMEOUT_MICROSECONDS}",
            "    allow_timeout_override: true",
            f"    max_queue_size: {_QUEUE}",
            "  }",
            "}",
        ]
    return "\n".join(lines) + "\n"


def _ports(kind: str, ports: Any, joins: bool, labels: Mapping[str, str]) -> Iterator[str]:
    for port in ports:
        sizes = port.shape[1:] if joins else port.shape
        yield f"{kind} {{"
        yield f"  name: {_quoted(port.name)}"
        yield f"  data_type: TYPE_{_TYPES.get(port.dtype) or port.dtype.upper()}"
        # Triton has no scalars: an axis of size 1 is declared and removed by a reshape.
        yield f"  dims: {_dims(sizes) if sizes else '[ 1 ]'}"
        if not sizes:
            yield "  reshape { shape: [ ] }"
        if port.name in labels:
            yield f"  label_filename: {_quoted(labels[port.name])}"
        yield "}"


_TYPES = {"float16": "FP16", "float32": "FP32", "float64": "FP64"}


def _dims(sizes: Sequence[int | str | None]) -> str:
    return "[ " + ", ".join(str(size) if isinstance(size, int) else "-1" for size in sizes) + " ]"


def _quoted(text: str) -> str:
    # Protobuf's text format reads JSON's escapes; non-ASCII text stays UTF-8.
    return json_text(text)


def _line(label: str) -> str:
    return printable(" ".join(str(label).split()))
