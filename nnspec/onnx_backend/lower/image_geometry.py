"""RandomCrop: a center crop in inference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nnspec.layers.base import Layer
from nnspec.layers.image_geometry import RandomCrop
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.lower.resampling import resampled
from nnspec.onnx_backend.value import Value
from nnspec.types import TensorType


def _crop(b: Builder, call: Call[RandomCrop]) -> Value:
    """Write a slice, and a resize if the slice does not have the requested size."""
    layer, x = call.layer, call.x
    (top, tall), (left, wide) = layer.window(x.type)
    if (tall, wide) != x.type.shape[:2]:
        places = [x.position(axis) for axis in (1, 2)]
        name = b.op(
            "Slice", x.name, b.ints([top, left], "from"), b.ints([top + tall, left + wide], "to"), b.ints(places, "axes")
        )
        x = Value(name, TensorType((tall, wide, x.type.shape[-1])), x.axes)
    if (tall, wide) == (layer.height, layer.width):
        return x
    return replace(resampled(b, x, [layer.height, layer.width], "bilinear"), type=call.output)


TABLE: Mapping[type[Layer], Lowering] = {RandomCrop: _crop}
