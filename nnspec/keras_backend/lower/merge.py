"""Sums and means."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.keras_backend.call import Build, Call, Lowering
from nnspec.keras_backend.layers import BroadcastAdd, BroadcastAverage
from nnspec.layers.base import Layer
from nnspec.layers.merge import Add, Average


def _add(build: Build[Add]) -> Call:
    return build.call(BroadcastAdd if _broadcasts(build) else None)


def _average(build: Build[Average]) -> Call:
    return build.call(BroadcastAverage if _broadcasts(build) else None)


def _broadcasts(build: Build[Add] | Build[Average]) -> bool:
    """Whether the inputs have different shapes; Keras's own layer is then wrong if the batch size equals another size."""
    return not build.types or any(len({type_.shape for type_ in inputs.values()}) > 1 for inputs in build.types)


TABLE: Mapping[type[Layer], Lowering] = {Add: _add, Average: _average}
