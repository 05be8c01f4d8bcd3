"""Rescaling: a constant scale and offset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.rescaling import Rescaling
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.value import Value

__all__ = ["TABLE"]


def _rescaling(b: Builder, call: Call[Rescaling]) -> Value:
    x, layer = call.x, call.layer
    if isinstance(layer.scale, list) or isinstance(layer.offset, list):
        x = declared(b, x)
    if x.type.dtype != "float32":
        x = replace(x, name=b.op("Cast", x.name, to=1))
    y = b.op("Mul", x.name, b.constant(layer.scale, "scale", np.float32))
    if layer.offset != 0:
        y = b.op("Add", y, b.constant(layer.offset, "offset", np.float32))
    return replace(x, name=y, type=call.output, linear=None)


TABLE: Mapping[type[Layer], Lowering] = {Rescaling: _rescaling}
