"""Sums, means and slices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import keras

from nnspec.keras_backend.call import Build, Call, Lowering
from nnspec.layers.base import Layer
from nnspec.layers.reduction import Mean, Reduction, Slice, Sum


def _reduced(build: Build[Reduction], reduce: Callable[..., Any]) -> Call:
    layer = build.layer
    axis = tuple(layer.axis) if isinstance(layer.axis, list) else layer.axis
    return lambda tensors: reduce(tensors["x"], axis=axis, keepdims=layer.keepdims)


def _sliced(build: Build[Slice]) -> Call:
    layer = build.layer

    def call(tensors: Mapping[str, Any]) -> Any:
        x = tensors["x"]
        axis = layer.axis if layer.axis > 0 else layer.axis + len(x.shape)
        if (layer.start, layer.stop) in ((0, 1), (-1, None)):  # Keras infers that this is one position
            return keras.ops.take(x, [layer.start], axis=axis)
        return x[(slice(None),) * axis + (slice(layer.start, layer.stop, layer.step),)]

    return call


TABLE: Mapping[type[Layer], Lowering] = {
    Mean: partial(_reduced, reduce=keras.ops.mean),
    Slice: _sliced,
    Sum: partial(_reduced, reduce=keras.ops.sum),
}
