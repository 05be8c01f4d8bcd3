"""Attention with one head."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.keras_backend.call import Build, Call, Lowering
from nnspec.keras_backend.layers.attention import FLOAT64
from nnspec.keras_backend.precision import is_float64
from nnspec.layers.attention import AdditiveAttention, Attention, DotAttention
from nnspec.layers.base import Layer

__all__ = ["TABLE"]


def _attention(build: Build[DotAttention]) -> Call:
    return build.call(FLOAT64[type(build.layer).__name__] if is_float64() else None)


TABLE: Mapping[type[Layer], Lowering] = {AdditiveAttention: _attention, Attention: _attention}
