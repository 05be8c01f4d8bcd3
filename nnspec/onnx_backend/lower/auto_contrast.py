"""AutoContrast."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.layers.auto_contrast import AutoContrast
from nnspec.layers.base import Layer
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.value import Value


def _auto_contrast(b: Builder, call: Call[AutoContrast]) -> Value:
    """``(x − min) / (max − min)``, scaled to the value range; constant channels are unchanged."""
    x = call.x
    low, high = sorted(call.layer.value_range)
    places = [x.position(axis) for axis in (1, 2)]
    least, largest = (b.reduce(f"Reduce{end}", x.name, places, keepdims=True) for end in ("Min", "Max"))
    share = b.op("Div", b.op("Sub", x.name, least), b.op("Sub", largest, least))
    stretched = b.op("Mul", share, b.constant(high - low, "range", np.float32))
    y = b.op("Add", stretched, b.constant(low, "low", np.float32)) if low else stretched
    y = b.op("Where", b.op("IsNaN", y), x.name, y)
    return x.with_name(y)


TABLE: Mapping[type[Layer], Lowering] = {AutoContrast: _auto_contrast}
