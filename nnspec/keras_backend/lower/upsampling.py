"""Upsampling."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.keras_backend import layers
from nnspec.keras_backend.call import Build, Call, Lowering
from nnspec.layers.base import Layer
from nnspec.layers.upsampling import UpSampling1D, UpSampling2D


def _along_one_axis(build: Build[UpSampling1D]) -> Call:
    """Keras takes the factor of one axis as a number, and not as a list of one number."""
    return build.call(size=build.layer.size[0])


def _of_images(build: Build[UpSampling2D]) -> Call:
    if build.layer.interpolation == "nearest":
        return build.call()
    theirs, ours = build.call(), build.call(layers.UpSampling2D, name=f"{build.name}.free")
    return lambda tensors: (ours if None in tensors["x"].shape[1:-1] else theirs)(tensors)


TABLE: Mapping[type[Layer], Lowering] = {UpSampling1D: _along_one_axis, UpSampling2D: _of_images}
