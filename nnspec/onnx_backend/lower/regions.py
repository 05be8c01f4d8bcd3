"""Features of regions of interest, by ONNX's own operators."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.regions import RoIAlign, RoIPooling
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import arrange, declared
from nnspec.onnx_backend.proto import ELEMENT
from nnspec.onnx_backend.value import Value, channels_first


def _listed(b: Builder, call: Call[RoIAlign] | Call[RoIPooling]) -> tuple[str, str, str]:
    """The boxes of all examples in one list, the example of each, and the shape of the two axes that were joined."""
    boxes = declared(b, call.inputs["boxes"]).name
    lead = b.op("Shape", boxes, end=2)
    zero, one = b.constant(0, "zero", np.int64), b.constant(1, "one", np.int64)
    count = b.op("Squeeze", b.op("Shape", boxes, end=1))
    example = b.op("Unsqueeze", b.op("Range", zero, count, one), b.ints([1], "boxes"))
    example = b.op("Reshape", b.op("Expand", example, lead), b.ints([-1], "flat"))
    return b.op("Reshape", boxes, b.ints([-1, 4], "rows")), example, lead


def _apart(b: Builder, call: Call[RoIAlign] | Call[RoIPooling], found: str, lead: str) -> Value:
    """The features of boxes, channels first, with examples and boxes on axes of their own."""
    channels = b.op("Shape", found, start=1)
    shape = b.op("Concat", lead, channels, axis=0)
    return Value(b.op("Reshape", found, shape), call.output, (0, 1, 4, 2, 3))


def _aligned(b: Builder, call: Call[RoIAlign]) -> Value:
    layer = call.layer
    x = arrange(b, call.inputs["x"], channels_first(3))
    boxes, example, lead = _listed(b, call)
    found = b.op(
        "RoiAlign",
        x.name,
        boxes,
        example,
        mode="avg",
        coordinate_transformation_mode="half_pixel",
        output_height=layer.size[0],
        output_width=layer.size[1],
        sampling_ratio=layer.sampling,
        spatial_scale=1 / layer.stride,
    )
    return _apart(b, call, found, lead)


def _pooled(b: Builder, call: Call[RoIPooling]) -> Value:
    layer = call.layer
    x = arrange(b, call.inputs["x"], channels_first(3))
    boxes, example, lead = _listed(b, call)
    number = b.op("Unsqueeze", b.op("Cast", example, to=ELEMENT["float32"]), b.ints([1], "numbers"))
    rows = b.op("Concat", number, boxes, axis=1)
    found = b.op("MaxRoiPool", x.name, rows, pooled_shape=list(layer.size), spatial_scale=1 / layer.stride)
    return _apart(b, call, found, lead)


TABLE: Mapping[type[Layer], Lowering] = {RoIAlign: _aligned, RoIPooling: _pooled}
