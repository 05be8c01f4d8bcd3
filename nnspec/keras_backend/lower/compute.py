"""Tensor expressions."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.keras_backend.call import Build, Call, Lowering
from nnspec.keras_backend.layers import Compute as ComputeLayer
from nnspec.layers.base import Layer
from nnspec.layers.compute import Compute


def _compute(build: Build[Compute]) -> Call:
    return build.call(ComputeLayer, seed=build.seeds.of("seed"))


TABLE: Mapping[type[Layer], Lowering] = {Compute: _compute}
