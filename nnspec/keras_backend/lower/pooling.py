"""Poolings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from nnspec.keras_backend.call import Build, Call, Lowering, plain
from nnspec.keras_backend.layers.pooling import Pooling3D
from nnspec.keras_backend.lower.convolution import window_padding
from nnspec.keras_backend.precision import is_float64
from nnspec.layers.base import Layer
from nnspec.layers.pooling import MaxPooling, Pooling


def _maximum(build: Build[Pooling]) -> Call:
    """Pads with −∞ first if the padding is given as numbers, which Keras does not take."""
    pool = _pool(build, "max")
    if (around := _margins(build.layer)) is None:
        return pool
    return lambda tensors: pool({"x": keras.ops.pad(tensors["x"], around, constant_values=-float("inf"))})


def _average(build: Build[Pooling]) -> Call:
    """Pads with zeros first if the padding is given as numbers, and divides by the share of positions that are not padding."""
    pool = _pool(build, "mean")
    if (around := _margins(build.layer)) is None:
        return pool
    share = _pool(build, "mean", f"{build.name}.share")

    def average(tensors: Mapping[str, Any]) -> Any:
        x = tensors["x"]
        real = keras.ops.ones_like(x[..., :1])
        return keras.ops.divide(pool({"x": keras.ops.pad(x, around)}), share({"x": keras.ops.pad(real, around)}))

    return average


def _margins(layer: Pooling) -> Any:
    """The padding before and after each axis; None if Keras's layer pads itself."""
    return None if layer.padding in ("valid", "same") or layer.around is None else ((0, 0), *layer.around, (0, 0))


def _pool(build: Build[Pooling], reduction: str, name: str | None = None) -> Call:
    layer, name = build.layer, name or build.name
    padding = "valid" if _margins(layer) else window_padding(layer.padding, layer.pool_size)
    if len(layer.pool_size) == 3 and is_float64():
        return plain(Pooling3D(reduction, layer.pool_size, layer.steps, padding, name=name), layer)
    return build.call(name=name, padding=padding)


TABLE: Mapping[type[Layer], Lowering] = {MaxPooling: _maximum, Pooling: _average}
