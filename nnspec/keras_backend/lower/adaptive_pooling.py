"""Adaptive poolings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from nnspec.keras_backend import layers
from nnspec.keras_backend.call import Build, Call, Lowering, plain
from nnspec.keras_backend.precision import is_float64
from nnspec.layers.adaptive_pooling import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
    AdaptivePooling,
)
from nnspec.layers.base import Layer

__all__ = ["TABLE"]


def _pooled(build: Build[AdaptivePooling], reduction: str) -> Call:
    """Keras 3.15.1 needs known sizes, and in a TensorFlow graph only pools inputs larger than a window."""
    output_size = build.layer.output_size
    theirs = build.call()
    ours = plain(layers.AdaptivePooling(output_size, reduction, name=f"{build.name}.free"), build.layer)

    def call(tensors: Mapping[str, Any]) -> Any:
        sizes = zip(tensors["x"].shape[1:-1], output_size, strict=True)
        fits = all(size is not None and size > -(-size // count) for size, count in sizes)
        return (theirs if fits and not (len(output_size) == 3 and is_float64()) else ours)(tensors)

    return call


_average = partial(_pooled, reduction="mean")
_max = partial(_pooled, reduction="max")

TABLE: Mapping[type[Layer], Lowering] = {
    AdaptiveAveragePooling1D: _average,
    AdaptiveAveragePooling2D: _average,
    AdaptiveAveragePooling3D: _average,
    AdaptiveMaxPooling1D: _max,
    AdaptiveMaxPooling2D: _max,
    AdaptiveMaxPooling3D: _max,
}
