"""Anchors of a feature map."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.keras_backend import layers
from nnspec.keras_backend.call import Build, Call, Lowering, plain
from nnspec.layers.base import Layer
from nnspec.layers.boxes import AnchorBoxes


def _anchors(build: Build[AnchorBoxes]) -> Call:
    return plain(layers.AnchorBoxes(build.layer.cell, build.layer.stride, name=build.name), build.layer)


TABLE: Mapping[type[Layer], Lowering] = {AnchorBoxes: _anchors}
