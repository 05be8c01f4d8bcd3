"""Activations."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

import keras

from nnspec.keras_backend.call import Build, Call, Lowering, on_first_call
from nnspec.layers.activations import Softmax
from nnspec.layers.base import Layer
from nnspec.types import TensorType, unknown

_MOST_RUNS = 5
"""TensorFlow 2.21 cannot broadcast more alternating runs of repeated and unrepeated axes."""


def _softmax(build: Build[Softmax]) -> Call:
    """Moves the axes of the softmax to the end if TensorFlow cannot broadcast over them where they are."""
    in_place = build.call()
    moved = on_first_call(lambda x: _at_the_end(build, len(x.shape)))

    def call(tensors: Mapping[str, Any]) -> Any:
        rank = len(tensors["x"].shape)
        runs = groupby(range(rank), _axes(build.layer, rank).__contains__)
        return (in_place if len(list(runs)) <= _MOST_RUNS else moved)(tensors)

    return call


def _axes(layer: Softmax, rank: int) -> Any:
    return layer.axes(TensorType((unknown(),) * (rank - 1)))


def _at_the_end(build: Build[Softmax], rank: int) -> Call:
    axes = _axes(build.layer, rank)
    kept = [axis for axis in range(1, rank) if axis not in axes]
    order = [*kept, *axes]
    to_end = keras.layers.Permute(order, name=f"{build.name}.behind")
    softmax = build.call(name=f"{build.name}.shares", axis=tuple(range(len(kept) + 1, rank)))
    back = keras.layers.Permute([order.index(axis) + 1 for axis in range(1, rank)], name=f"{build.name}.back")
    return lambda tensors: back(softmax({"x": to_end(tensors["x"])}))


TABLE: Mapping[type[Layer], Lowering] = {Softmax: _softmax}
