"""Automatic contrast adjustment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from nnspec.layers.augmentation import ValueRange, require_image
from nnspec.layers.base import EVERYTHING, Inputs, Layer, Outputs, Window, single
from nnspec.layers.interfaces import RemovesOffset
from nnspec.layers.unsupported import DATA_FORMAT
from nnspec.types import TensorType


class AutoContrast(RemovesOffset):
    """Stretches each channel of an image to the full range of values, in training and in inference."""

    main_argument: ClassVar[str | None] = "value_range"
    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, "data_format": DATA_FORMAT}

    value_range: ValueRange = (0, 255)

    def infer(self, inputs: Inputs) -> Outputs:
        require_image(self, inputs["x"])
        return single(inputs["x"].shape)

    def removes_offset(self, x: TensorType, axis: int) -> bool:
        """The minimum of each channel over all positions is subtracted."""
        return axis == x.rank - 1

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """The minimum and maximum are taken over the whole image."""
        del inputs
        return EVERYTHING
