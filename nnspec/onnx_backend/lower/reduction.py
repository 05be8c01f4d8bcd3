"""Sum, Mean and Slice."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from nnspec.layers.base import Layer
from nnspec.layers.reduction import Mean, Reduction, Slice, Sum
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.value import Value

_END = 2**62


def _reduced(b: Builder, call: Call[Reduction], *, type: str) -> Value:
    x = declared(b, call.x)
    y = b.reduce(type, x.name, call.layer.axes(x.type), keepdims=call.layer.keepdims)
    return Value.declared(y, call.output)


def _slice(b: Builder, call: Call[Slice]) -> Value:
    x = call.x if call.x.order is None else declared(b, call.x)
    layer = call.layer
    stop = _END if layer.stop is None else layer.stop
    bounds = {"from": layer.start, "to": stop, "axis": x.position(layer.place(x.type)), "step": layer.step}
    y = b.op("Slice", x.name, *(b.ints([value], name) for name, value in bounds.items()))
    return Value(y, call.output, x.axes)


TABLE: Mapping[type[Layer], Lowering] = {
    Mean: partial(_reduced, type="ReduceMean"),
    Slice: _slice,
    Sum: partial(_reduced, type="ReduceSum"),
}
