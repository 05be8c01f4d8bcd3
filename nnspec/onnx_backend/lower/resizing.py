"""Resizing and CenterCrop: a crop or padding, then a resize."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.resizing import Fitting, Part
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.lower.resampling import resampled
from nnspec.onnx_backend.proto import ELEMENT
from nnspec.onnx_backend.value import Value
from nnspec.types import TensorType


def _fit(b: Builder, call: Call[Fitting]) -> Value:
    layer, x = call.layer, call.x
    if x.type.dtype != call.output.dtype:
        cast = b.op("Cast", x.name, to=ELEMENT[call.output.dtype])
        x = replace(x, name=cast, type=TensorType(x.type.shape, call.output.dtype))
    for axis, part in enumerate(layer.parts(x.type), 1):
        x = _cut(b, x, axis, part, layer.filling)
    return replace(resampled(b, x, layer.counts, *layer.sampling()), type=call.output)


def _cut(b: Builder, x: Value, axis: int, part: Part, filling: float) -> Value:
    """Crop or pad one axis."""
    (start, size), whole = part, x.type.shape[axis - 1]
    if size == whole:
        return x
    assert isinstance(size, int)
    place = x.position(axis)
    shape = (*x.type.shape[: axis - 1], size, *x.type.shape[axis:])
    if isinstance(start, int) and start < 0:
        pads = np.zeros((2, len(x.axes)), np.int64)
        pads[:, place] = -start
        fill = b.constant(filling, "fill", x.type.dtype)
        name = b.op("Pad", x.name, b.constant(pads.ravel(), "margins"), fill)
    else:
        first = b.ints([start], "from") if isinstance(start, int) else _middle(b, x.name, place, size)
        behind = b.op("Add", first, b.ints([size], "size"))
        name = b.op("Slice", x.name, first, behind, b.ints([place], "axis"))
    return replace(x, name=name, type=TensorType(shape, x.type.dtype))


def _middle(b: Builder, x: str, place: int, size: int) -> str:
    """The start of a center crop of an axis, computed at run time."""
    spare = b.op("Sub", b.op("Shape", x, start=place, end=place + 1), b.ints([size], "size"))
    return b.op("Div", spare, b.ints([2], "two"))


TABLE: Mapping[type[Layer], Lowering] = {Fitting: _fit}
