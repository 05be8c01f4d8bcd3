"""Masking: a mask computed from values."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.masking import Masking
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.value import Value


def _masking(b: Builder, call: Call[Masking]) -> Value:
    x = declared(b, call.x).name
    same = b.op("Equal", x, b.constant(call.layer.mask_value, "mask_value", np.float32))
    differing = b.op("Cast", b.op("Not", same), to=1)
    kept = b.op("Cast", b.reduce("ReduceMax", differing, [-1], keepdims=True), to=9)
    y = b.op("Where", kept, x, b.constant(0, "zero", np.float32))
    return Value.declared(y, call.output, b.op("Squeeze", kept, b.ints([-1], "last")))


TABLE: Mapping[type[Layer], Lowering] = {Masking: _masking}
