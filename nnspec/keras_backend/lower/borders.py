"""Zero padding and cropping."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.keras_backend.call import Build, Call, Lowering
from nnspec.layers.base import Layer
from nnspec.layers.borders import Borders, Cropping1D, ZeroPadding1D


def _along_one_axis(build: Build[Borders]) -> Call:
    """Keras takes the margins of one axis as a pair, and not as a list of one pair."""
    [argument] = type(build.layer).model_fields
    return build.call(**{argument: build.layer.margins[0]})


TABLE: Mapping[type[Layer], Lowering] = {Cropping1D: _along_one_axis, ZeroPadding1D: _along_one_axis}
