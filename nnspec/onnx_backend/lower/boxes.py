"""Anchors, the regression of boxes, and clipping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.boxes import SMALLEST, AnchorBoxes, ClipBoxes, DecodeBoxes, EncodeBoxes
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.proto import ELEMENT
from nnspec.onnx_backend.value import Value

_RIGHT, _DOWN = np.array([1, 0, 1, 0], np.float32), np.array([0, 1, 0, 1], np.float32)


def _anchors(b: Builder, call: Call[AnchorBoxes]) -> Value:
    """Write anchors: a constant if the sizes of the feature map are known, else computed."""
    x, layer = call.x, call.layer
    cell = np.array(layer.cell, np.float32)
    height, width, _ = x.type.shape
    if isinstance(height, int) and isinstance(width, int):
        stride = np.float32(layer.stride)
        x_of, y_of = (np.arange(size, dtype=np.float32) * stride for size in (width, height))
        boxes = x_of[None, :, None, None] * _RIGHT + y_of[:, None, None, None] * _DOWN + cell
        rows = b.constant(boxes.reshape(1, -1, 4), "boxes")
    else:
        right, down = (_moved(b, call, axis) for axis in (2, 1))
        every = b.op("Add", b.op("Add", right, down), b.constant(cell, "cell"))
        rows = b.op("Reshape", every, b.ints([1, -1, 4], "rows"))
    place = x.position(0)
    examples = b.op("Shape", x.name, start=place, end=place + 1)
    return Value.declared(b.op("Expand", rows, b.op("Concat", examples, b.ints([1, 1], "whole"), axis=0)), call.output)


def _moved(b: Builder, call: Call[AnchorBoxes], axis: int) -> str:
    """How far each cell is from the first one along an axis: of the axes height, width, anchor, number."""
    place = call.x.position(axis)
    count = b.op("Squeeze", b.op("Shape", call.x.name, start=place, end=place + 1))
    steps = b.op("Range", b.constant(0, "first", np.int64), count, b.constant(1, "step", np.int64))
    far = b.op("Mul", b.op("Cast", steps, to=ELEMENT["float32"]), b.constant(call.layer.stride, "stride", np.float32))
    shape = [-1, 1, 1, 1] if axis == 1 else [1, -1, 1, 1]
    return b.op("Mul", b.op("Reshape", far, b.ints(shape, "shape")), b.constant(_DOWN if axis == 1 else _RIGHT, "axis"))


@dataclass(frozen=True)
class Halves:
    """The two corners of boxes, their sizes, and their centers, each with a last axis of two."""

    low: str
    high: str
    size: str
    center: str

    @classmethod
    def of(cls, b: Builder, boxes: str) -> Halves:
        """Split boxes."""
        low, high = split(b, boxes)
        size = b.op("Sub", high, low)
        return cls(low, high, size, b.op("Add", low, b.op("Mul", size, b.constant(0.5, "half", np.float32))))


def split(b: Builder, boxes: str) -> tuple[str, str]:
    """The first and the last two numbers of rows of four."""
    axis = b.ints([-1], "last")
    low, high = (b.op("Slice", boxes, b.ints([at], "from"), b.ints([at + 2], "to"), axis) for at in (0, 2))
    return low, high


def are_valid(b: Builder, size: str) -> str:
    """Which boxes are valid, with a last axis of one.

    Args:
        b: The graph.
        size: Their widths and heights.
    """
    smallest = b.reduce("ReduceMin", size, [-1], keepdims=True)
    return b.op("GreaterOrEqual", smallest, b.constant(SMALLEST, "smallest", np.float32))


def _joined(b: Builder, first: str, second: str) -> str:
    return b.op("Concat", first, second, axis=-1)


def _decoded(b: Builder, call: Call[DecodeBoxes]) -> Value:
    x, layer = declared(b, call.inputs["x"]).name, call.layer
    rows = declared(b, call.inputs["anchors"]).name
    if call.output.rank == 3:  # four numbers for each class
        rows = b.op("Unsqueeze", rows, b.ints([2], "classes"))
    anchors = Halves.of(b, rows)
    if layer.variance != [1.0] * 4:
        x = b.op("Mul", x, b.constant(layer.variance, "variance", np.float32))
    first, second = split(b, x)
    first = b.op("Mul", first, anchors.size)
    if layer.by == "distances":
        second = b.op("Mul", second, anchors.size)
        boxes = _joined(b, b.op("Sub", anchors.center, first), b.op("Add", anchors.center, second))
        return Value.declared(boxes, call.output)
    scale = b.op("Exp", b.op("Min", second, b.constant(log(layer.max_scale), "most", np.float32)))
    half = b.op("Mul", b.op("Mul", anchors.size, scale), b.constant(0.5, "half", np.float32))
    center = b.op("Add", anchors.center, first)
    return Value.declared(_joined(b, b.op("Sub", center, half), b.op("Add", center, half)), call.output)


def _encoded(b: Builder, call: Call[EncodeBoxes]) -> Value:
    boxes, anchors = (Halves.of(b, declared(b, call.inputs[port]).name) for port in ("boxes", "anchors"))
    layer = call.layer
    kept = b.op("And", are_valid(b, boxes.size), are_valid(b, anchors.size))
    one = b.constant(1, "one", np.float32)
    unit = b.op("Where", kept, anchors.size, one)
    if layer.by == "distances":
        first, second = b.op("Sub", anchors.center, boxes.low), b.op("Sub", boxes.high, anchors.center)
        found = _joined(b, b.op("Div", first, unit), b.op("Div", second, unit))
    else:
        moved = b.op("Div", b.op("Sub", boxes.center, anchors.center), unit)
        found = _joined(b, moved, b.op("Log", b.op("Div", b.op("Where", kept, boxes.size, one), unit)))
    if layer.variance != [1.0] * 4:
        found = b.op("Div", found, b.constant(layer.variance, "variance", np.float32))
    return Value.declared(b.op("Where", kept, found, b.constant(0, "none", np.float32)), call.output)


def _clipped(b: Builder, call: Call[ClipBoxes]) -> Value:
    boxes, image = declared(b, call.inputs["boxes"]), call.inputs["image"]
    height, width, _ = image.type.shape
    if isinstance(height, int) and isinstance(width, int):
        most = b.constant([width, height] * 2, "most", np.float32)
    else:
        places = [image.position(axis) for axis in (2, 1)]
        sizes = [b.op("Shape", image.name, start=place, end=place + 1) for place in places]
        most = b.op("Cast", b.op("Concat", *sizes, *sizes, axis=0), to=ELEMENT["float32"])
    clipped = b.op("Min", b.op("Max", boxes.name, b.constant(0, "least", np.float32)), most)
    return Value.declared(clipped, call.output)


TABLE: Mapping[type[Layer], Lowering] = {
    AnchorBoxes: _anchors,
    ClipBoxes: _clipped,
    DecodeBoxes: _decoded,
    EncodeBoxes: _encoded,
}
