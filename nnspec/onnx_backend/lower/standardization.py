"""Normalization by constant statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.layers.base import Layer
from nnspec.layers.standardization import Normalization, Rescaling
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import along, declared
from nnspec.onnx_backend.proto import ELEMENT
from nnspec.onnx_backend.value import Value

_LEAST = 1e-7
"""Keras's ``epsilon()``, the smallest divisor."""


def _normalization(b: Builder, call: Call[Normalization]) -> Value:
    """Write the normalization, which a pass folds into the preceding layer if possible. The mean is subtracted first."""
    x, layer, rank = call.x, call.layer, call.x.type.rank
    mean, deviation = _statistics(call)
    if (axes := layer.kept_axes(rank)) == (rank - 1,):
        mean, deviation = (along(x, rank, array.ravel()) for array in (mean, deviation))
    elif axes:
        x = declared(b, x)
    if x.type.dtype != "float32":
        x = replace(x, name=b.op("Cast", x.name, to=ELEMENT["float32"]))
    steps = [("Mul", deviation, "deviation"), ("Add", mean, "mean")]
    if not layer.invert:
        steps = [("Sub", mean, "mean"), ("Mul", 1 / deviation, "scale")]
    y = x.name
    for operator, array, name in steps:
        y = b.op(operator, y, b.rounded(array, name))
    return replace(x, name=y, type=call.output)


def _statistics(call: Call[Normalization]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The mean and standard deviation in float64, broadcastable to the input."""
    layer, type = call.layer, call.x.type
    axes = layer.kept_axes(type.rank)
    given = [call.weights.get("mean", layer.mean), call.weights.get("variance", layer.variance)]
    arrays = [np.asarray(array, np.float64) for array in given]
    sizes = layer.kept_sizes({"x": type})
    wide = [np.broadcast_to(array, sizes) if array.ndim <= len(sizes) else array for array in arrays]
    first = min(axes, default=type.rank)
    kept = iter(sizes)
    shape = [next(kept) if axis in axes else 1 for axis in range(first, type.rank)]
    mean, variance = (array.reshape(shape) for array in wide)
    return mean, np.maximum(np.sqrt(variance), _LEAST)


def _rescaling(b: Builder, call: Call[Rescaling]) -> Value:
    x, layer = call.x, call.layer
    if isinstance(layer.scale, list) or isinstance(layer.offset, list):
        x = declared(b, x)
    if x.type.dtype != "float32":
        x = replace(x, name=b.op("Cast", x.name, to=1))
    y = b.op("Mul", x.name, b.constant(layer.scale, "scale", np.float32))
    if layer.offset != 0:
        y = b.op("Add", y, b.constant(layer.offset, "offset", np.float32))
    return replace(x, name=y, type=call.output)


TABLE: Mapping[type[Layer], Lowering] = {Normalization: _normalization, Rescaling: _rescaling}
