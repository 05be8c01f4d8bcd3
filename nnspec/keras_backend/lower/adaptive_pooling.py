"""Adaptive poolings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.keras_backend import layers
from nnspec.keras_backend.call import Build, Call, Lowering, plain
from nnspec.keras_backend.precision import is_float64
from nnspec.layers.adaptive_pooling import AdaptiveAveragePooling, AdaptivePooling
from nnspec.layers.base import Layer


def _pooled(build: Build[AdaptivePooling]) -> Call:
    """Keras 3.15.1 needs known sizes, and in a TensorFlow graph only pools inputs larger than a window."""
    output_size = build.layer.output_size
    reduction = "mean" if isinstance(build.layer, AdaptiveAveragePooling) else "max"
    theirs = build.call()
    ours = plain(layers.AdaptivePooling(output_size, reduction, name=f"{build.name}.free"), build.layer)

    def call(tensors: Mapping[str, Any]) -> Any:
        sizes = zip(tensors["x"].shape[1:-1], output_size, strict=True)
        fits = all(size is not None and size > -(-size // count) for size, count in sizes)
        return (theirs if fits and not (len(output_size) == 3 and is_float64()) else ours)(tensors)

    return call


TABLE: Mapping[type[Layer], Lowering] = {AdaptivePooling: _pooled}
