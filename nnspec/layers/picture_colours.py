"""Random changes of the colours of a picture, and policies that draw which change is made."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.augmentation import Augmentation, Interpolation, Share, Shares, Signed, ValueRange
from nnspec.layers.scalars import PositiveInt

__all__ = ["RandAugment", "RandomColorDegeneration", "RandomColorJitter", "RandomGrayscale", "RandomHue", "RandomSaturation"]

_RGB = (3,)
_RGB_OR_GREY = (1, 3)


class RandomGrayscale(Augmentation):
    """Takes the colours away."""

    channels: ClassVar[tuple[int, ...]] = _RGB_OR_GREY
    main_argument: ClassVar[str | None] = "factor"

    factor: Share = Field(0.5, description="How likely a picture is changed.")


class RandomSaturation(Augmentation):
    """Makes colours stronger or weaker."""

    channels: ClassVar[tuple[int, ...]] = _RGB
    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(
        description="0 takes the colours away, 0.5 changes nothing, 1 makes them strongest; or two to draw between."
    )
    value_range: ValueRange = (0, 255)


class RandomHue(Augmentation):
    """Turns colours into others."""

    channels: ClassVar[tuple[int, ...]] = _RGB
    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(description="The largest change; or the two it is drawn between.")
    value_range: ValueRange = (0, 255)


class RandomColorDegeneration(Augmentation):
    """Mixes pictures with what they are without colours."""

    channels: ClassVar[tuple[int, ...]] = _RGB
    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(description="The largest share of the colours that is taken away; or the two it is drawn between.")
    value_range: ValueRange = (0, 255)


class RandomColorJitter(Augmentation):
    """Changes brightness, contrast, saturation and hue."""

    channels: ClassVar[tuple[int, ...]] = _RGB

    value_range: ValueRange = (0, 255)
    brightness_factor: Signed | None = Field(None, description="As `RandomBrightness` takes it; null: not changed.")
    contrast_factor: Shares | None = Field(None, description="As `RandomContrast` takes it; null: not changed.")
    saturation_factor: Shares | None = Field(None, description="As `RandomSaturation` takes it; null: not changed.")
    hue_factor: Shares | None = Field(None, description="As `RandomHue` takes it; null: not changed.")


class RandAugment(Augmentation):
    """Draws a few changes out of many for each batch (Cubuk et al. 2020)."""

    channels: ClassVar[tuple[int, ...]] = _RGB_OR_GREY

    value_range: ValueRange = (0, 255)
    num_ops: PositiveInt = Field(2, description="How many changes are made.")
    factor: Shares = Field(0.5, description="How strong they are; or the two that is drawn between.")
    interpolation: Interpolation = "bilinear"
