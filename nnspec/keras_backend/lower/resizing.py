"""Images of another size."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.keras_backend import layers
from nnspec.keras_backend.call import Build, Call, Lowering
from nnspec.layers.base import Layer
from nnspec.layers.resizing import CenterCrop, Resizing


def _resized(build: Build[Resizing]) -> Call:
    """TensorFlow does not pad integers with a float, even if it is an integer."""
    fill = build.layer.fill_value
    return build.call(fill_value=int(fill) if fill.is_integer() else fill)


def _center_crop(build: Build[CenterCrop]) -> Call:
    theirs, ours = build.call(), build.call(layers.CenterCrop, name=f"{build.name}.free")
    return lambda tensors: (ours if None in tensors["x"].shape[1:-1] else theirs)(tensors)


TABLE: Mapping[type[Layer], Lowering] = {CenterCrop: _center_crop, Resizing: _resized}
