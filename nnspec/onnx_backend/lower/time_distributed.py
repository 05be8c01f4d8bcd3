"""A layer at every time step alike: steps and batch become one axis, or the layer takes them as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.time_distributed import TimeDistributed
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.lower import lowering_of
from nnspec.onnx_backend.value import Value

__all__ = ["TABLE"]


def _time_distributed(b: Builder, call: Call[TimeDistributed]) -> Value:
    layer = call.layer
    if layer.inner.same_at_every_position:
        value = _run(b, Call(layer.inner, call.inputs, call.outputs, call.weights))
        return replace(value, mask=call.x.mask)
    x = declared(b, call.x)
    step = Value.declared(_merged(b, x), layer.step(x.type))
    if x.mask is not None and step.type.mask is not None:
        step = replace(step, mask=_rows(b, x.mask))
    inner = layer.inner_output(x.type)
    y = declared(b, _run(b, Call(layer.inner, {"x": step}, {"output": inner}, call.weights)))
    lead = b.op("Shape", x.name, start=0, end=2)
    sizes = [size for size in inner.shape if isinstance(size, int)]
    rest = b.ints(sizes, "sizes") if len(sizes) == inner.rank else b.op("Shape", y.name, start=1)
    return Value.declared(b.op("Reshape", y.name, b.op("Concat", lead, rest, axis=0)), call.output, call.x.mask)


def _run(b: Builder, call: Call[Layer]) -> Value:
    given = lowering_of(call.layer)(b, call)
    return given if isinstance(given, Value) else given["output"]


def _merged(b: Builder, x: Value) -> str:
    """The tensor with batch and time in one axis."""
    sizes = [size for size in x.type.shape[1:] if isinstance(size, int)]
    if len(sizes) == x.type.rank - 1:
        return b.op("Reshape", x.name, b.ints([-1, *sizes], "shape"))
    return _rows(b, x.name)


def _rows(b: Builder, tensor: str) -> str:
    """The same, with the sizes of the other axes looked up."""
    rest = b.op("Shape", tensor, start=2)
    return b.op("Reshape", tensor, b.op("Concat", b.constant([-1], "rows", np.int64), rest, axis=0))


TABLE: Mapping[type[Layer], Lowering] = {TimeDistributed: _time_distributed}
