"""The contrast that a picture can have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nnspec.layers.augmentation import ValueRange, require_picture
from nnspec.layers.base import EVERYTHING, Inputs, Layer, Outputs, Window, single
from nnspec.layers.interfaces import RemovesOffset
from nnspec.layers.unsupported import DATA_FORMAT
from nnspec.types import TensorType

__all__ = ["AutoContrast"]


class AutoContrast(RemovesOffset):
    """Stretches each channel of a picture to the whole range of values, in training and in inference."""

    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, "data_format": DATA_FORMAT}

    value_range: ValueRange = (0, 255)

    def infer(self, inputs: Inputs) -> Outputs:
        require_picture(self, inputs["x"])
        return single(inputs["x"].shape)

    def removes_offset(self, x: TensorType, axis: int) -> bool:
        """Each channel's least value, over all positions, is subtracted."""
        return axis == x.rank - 1

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """The least and the largest value are those of the whole picture."""
        del inputs
        return EVERYTHING
