"""Max pooling with indices, and unpooling."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.unpooling import MaxPoolingWithIndices2D, MaxUnpooling2D
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import arrange
from nnspec.onnx_backend.lower.padding import Window, padded
from nnspec.onnx_backend.proto import ELEMENT
from nnspec.onnx_backend.value import Value, channels_first


def _with_indices(b: Builder, call: Call[MaxPoolingWithIndices2D]) -> Mapping[str, Value]:
    """Write max pooling with indices. ONNX's indices are into the whole tensor, ours into each channel."""
    layer = call.layer
    x = arrange(b, call.x, channels_first(3))
    padded_x, pads = padded(b, x, Window(layer.pool_size, layer.steps, layer.around), fill=-np.inf)
    y, found = b.ops(
        "MaxPool",
        [padded_x.name],
        2,
        kernel_shape=list(layer.pool_size),
        strides=list(layer.steps),
        pads=pads if any(pads) else None,
    )
    _, width, area = _plane(b, padded_x.name)
    position = b.op("Mod", found, area)
    if padded_x.name != x.name:
        position = _without_padding(b, position, width, x.name, b.produced(padded_x.name).inputs[1])
    indices = b.op("Cast", position, to=ELEMENT["int32"])
    return {
        "output": Value(y, call.outputs["output"], x.axes),
        "indices": Value(indices, call.outputs["indices"], x.axes),
    }


def _plane(b: Builder, x: str) -> tuple[str, str, str]:
    """Height, width and their product of a channels-first tensor, at run time."""
    height, width = (b.op("Shape", x, start=place, end=place + 1) for place in (2, 3))
    return height, width, b.op("Mul", height, width)


def _without_padding(b: Builder, position: str, width: str, x: str, pads: str) -> str:
    """Convert an index into the padded image to one into the image."""
    top, left = (b.op("Slice", pads, b.ints([at], "side"), b.ints([at + 1], "next")) for at in (2, 3))
    row, column = b.op("Sub", b.op("Div", position, width), top), b.op("Sub", b.op("Mod", position, width), left)
    return b.op("Add", b.op("Mul", row, b.op("Shape", x, start=3, end=4)), column)


def _unpooled(b: Builder, call: Call[MaxUnpooling2D]) -> Value:
    """Write unpooling. Values at repeated positions are added, which ONNX's ``MaxUnpool`` does not specify."""
    x, indices = (arrange(b, call.inputs[port], channels_first(3)) for port in ("x", "indices"))
    lead, flat = b.op("Shape", x.name, end=2), b.ints([0, 0, -1], "flat")
    plane = _size(b, call, x)
    area = b.reduce("ReduceProd", plane, [0], keepdims=True)
    zeros = b.op("ConstantOfShape", b.op("Concat", lead, area, axis=0), value=np.zeros(1, np.float32))
    places = b.op("Cast", b.op("Reshape", indices.name, flat), to=ELEMENT["int64"])
    put = b.op("ScatterElements", zeros, places, b.op("Reshape", x.name, flat), axis=2, reduction="add")
    return Value(b.op("Reshape", put, b.op("Concat", lead, plane, axis=0)), call.output, x.axes)


def _size(b: Builder, call: Call[MaxUnpooling2D], x: Value) -> str:
    """The output height and width."""
    sizes = [size for size in call.output.shape[:-1] if isinstance(size, int)]
    if len(sizes) == 2:
        return b.ints(sizes, "size")
    if "like" in call.inputs:
        return b.op("Shape", arrange(b, call.inputs["like"], channels_first(3)).name, start=2)
    factors, added = zip(*call.layer.factors, strict=True)
    scaled = b.op("Mul", b.op("Shape", x.name, start=2), b.ints(factors, "factors"))
    return b.op("Add", scaled, b.ints(added, "added"))


TABLE: Mapping[type[Layer], Lowering] = {MaxPoolingWithIndices2D: _with_indices, MaxUnpooling2D: _unpooled}
