"""Sums and means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.keras_backend.call import Build, Call, Lowering
from nnspec.keras_backend.layers import BroadcastAdd, BroadcastAverage
from nnspec.layers.base import Layer
from nnspec.layers.merge import Add, Average


def _unless_equal(kind: type[BroadcastAdd | BroadcastAverage]) -> Lowering:
    """Build a layer that broadcasts, unless all inputs have one shape: Keras's own layer is right then."""

    def lowering(build: Build[Any]) -> Call:
        return build.call(kind if _broadcasts(build) else None)

    return lowering


def _broadcasts(build: Build[Any]) -> bool:
    """Whether the inputs have different shapes; Keras's own layer is then wrong if the batch size equals another size."""
    return not build.types or any(len({type_.shape for type_ in inputs.values()}) > 1 for inputs in build.types)


TABLE: Mapping[type[Layer], Lowering] = {Add: _unless_equal(BroadcastAdd), Average: _unless_equal(BroadcastAverage)}
