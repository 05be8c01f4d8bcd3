"""Random color augmentations of images, and random augmentation policies."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.augmentation import Augmentation, Interpolation, Share, Shares, Signed, ValueRange
from nnspec.layers.scalars import PositiveInt

_RGB = (3,)
_RGB_OR_GRAY = (1, 3)


class RandomGrayscale(Augmentation):
    """Randomly converts images to grayscale."""

    channels: ClassVar[tuple[int, ...]] = _RGB_OR_GRAY
    main_argument: ClassVar[str | None] = "factor"

    factor: Share = Field(0.5, description="The probability of changing an image.")


class RandomSaturation(Augmentation):
    """Randomly changes the saturation of images."""

    channels: ClassVar[tuple[int, ...]] = _RGB
    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(
        description="0 removes the colors, 0.5 changes nothing, 1 is the maximum saturation; or [low, high] to draw from."
    )
    value_range: ValueRange = (0, 255)


class RandomHue(Augmentation):
    """Randomly shifts the hue of images."""

    channels: ClassVar[tuple[int, ...]] = _RGB
    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(description="The maximum change; or [low, high] to draw from.")
    value_range: ValueRange = (0, 255)


class RandomColorDegeneration(Augmentation):
    """Randomly blends images with their grayscale version."""

    channels: ClassVar[tuple[int, ...]] = _RGB
    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(description="The maximum weight of the grayscale version; or [low, high] to draw from.")
    value_range: ValueRange = (0, 255)


class RandomColorJitter(Augmentation):
    """Randomly changes brightness, contrast, saturation and hue."""

    channels: ClassVar[tuple[int, ...]] = _RGB

    value_range: ValueRange = (0, 255)
    brightness_factor: Signed | None = Field(None, description="The factor of `RandomBrightness`; null: no change.")
    contrast_factor: Shares | None = Field(None, description="The factor of `RandomContrast`; null: no change.")
    saturation_factor: Shares | None = Field(None, description="The factor of `RandomSaturation`; null: no change.")
    hue_factor: Shares | None = Field(None, description="The factor of `RandomHue`; null: no change.")


class RandAugment(Augmentation):
    """Applies randomly chosen augmentations to each batch (Cubuk et al. 2020)."""

    channels: ClassVar[tuple[int, ...]] = _RGB_OR_GRAY
    moves_pixels: ClassVar[bool] = True
    moves_boxes: ClassVar[bool] = False

    value_range: ValueRange = (0, 255)
    num_ops: PositiveInt = Field(2, description="The number of augmentations to apply.")
    factor: Shares = Field(0.5, description="The strength; or [low, high] to draw from.")
    interpolation: Interpolation = "bilinear"
