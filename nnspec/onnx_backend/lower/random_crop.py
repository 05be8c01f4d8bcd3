"""The middle of a picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nnspec.layers.base import Layer
from nnspec.layers.random_crop import RandomCrop
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import arrange
from nnspec.onnx_backend.lower.upsampling import RESIZES
from nnspec.onnx_backend.value import Value, channels_first
from nnspec.types import TensorType

__all__ = ["TABLE"]


def _crop(b: Builder, call: Call[RandomCrop]) -> Value:
    """A slice, and where its size is not the one asked for a ``Resize``, which likes the channels first."""
    layer, x = call.layer, call.x
    (top, tall), (left, wide) = layer.window(x.type)
    if (tall, wide) != x.type.shape[:2]:
        places = [x.position(axis) for axis in (1, 2)]
        name = b.op(
            "Slice", x.name, b.ints([top, left], "from"), b.ints([top + tall, left + wide], "to"), b.ints(places, "axes")
        )
        x = Value(name, TensorType((tall, wide, x.type.shape[-1])), x.axes)
    if (tall, wide) == (layer.height, layer.width):
        return replace(x, linear=None)
    x = arrange(b, x, channels_first(x.type.rank))
    sizes = b.op("Concat", b.op("Shape", x.name, end=2), b.ints([layer.height, layer.width], "sizes"), axis=0)
    return Value(b.op("Resize", x.name, "", "", sizes, **RESIZES["bilinear"]), call.output, x.axes)


TABLE: Mapping[type[Layer], Lowering] = {RandomCrop: _crop}
