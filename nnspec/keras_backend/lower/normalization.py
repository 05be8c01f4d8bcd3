"""Normalization along axes and in groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.keras_backend.call import Build, Call, Lowering, on_first_call
from nnspec.layers.base import Layer
from nnspec.layers.normalization import AlongAxes, GroupNormalization


def _normalized(build: Build[AlongAxes | GroupNormalization]) -> Call:
    """Passes positive axes: Keras 3.15.1 normalizes along wrong axes if some are negative."""

    def made(x: Any) -> Call:
        layer, rank = build.layer, len(x.shape) - 1
        axes = layer.axes(rank) if isinstance(layer, AlongAxes) else [layer.channel_axis(rank)]
        positive = [axis + 1 for axis in axes]
        return build.call(axis=positive if len(positive) > 1 else positive[0])

    return on_first_call(made)


TABLE: Mapping[type[Layer], Lowering] = {AlongAxes: _normalized, GroupNormalization: _normalized}
