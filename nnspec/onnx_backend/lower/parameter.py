"""Parameter: a trainable tensor."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.parameter import Parameter
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.value import Value


def _parameter(b: Builder, call: Call[Parameter]) -> Value:
    """Write the tensor, repeated for each example."""
    place = call.x.position(0)
    examples = b.op("Shape", call.x.name, start=place, end=place + 1)
    whole = b.op("Concat", examples, b.ints(call.layer.shape, "sizes"), axis=0) if call.layer.shape else examples
    return Value.declared(b.op("Expand", b.constant(call.weights["value"], "value"), whole), call.output)


TABLE: Mapping[type[Layer], Lowering] = {Parameter: _parameter}
