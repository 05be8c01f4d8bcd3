"""Upsampling."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.keras_backend.call import Build, Call, Lowering
from nnspec.layers.base import Layer
from nnspec.layers.upsampling import UpSampling1D


def _along_one_axis(build: Build[UpSampling1D]) -> Call:
    """Keras takes the factor of one axis as a number, and not as a list of one number."""
    return build.call(size=build.layer.size[0])


TABLE: Mapping[type[Layer], Lowering] = {UpSampling1D: _along_one_axis}
