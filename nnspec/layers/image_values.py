"""Random augmentations of the brightness, contrast and detail of images."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict, field_validator

from nnspec.layers.augmentation import Augmentation, Shares, Signed, ValueRange
from nnspec.layers.scalars import Number, PositiveInt

_Bits = Annotated[int, Strict(), Field(ge=1, le=8)]


class RandomBrightness(Augmentation):
    """Randomly changes the brightness of images."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Signed = Field(
        description="The maximum change in either direction, where −1 is black and 1 is white; or [low, high] to draw from."
    )
    value_range: ValueRange = (0, 255)


class RandomContrast(Augmentation):
    """Randomly changes the contrast of images about the channel means."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(
        description="The contrast is multiplied by a factor between 1 − this and 1 + this; or [lower, upper] for the two "
        "distances."
    )
    value_range: ValueRange = (0, 255)


class RandomSharpness(Augmentation):
    """Randomly blurs or sharpens images."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(description="0 blurs, 0.5 changes nothing, 1 sharpens; or [low, high] to draw from.")
    value_range: ValueRange = (0, 255)


class RandomPosterization(Augmentation):
    """Reduces the number of bits per value."""

    main_argument: ClassVar[str | None] = "factor"

    factor: _Bits | tuple[_Bits, _Bits] = Field(description="The number of bits to keep, 1 to 8.")
    value_range: ValueRange = (0, 255)


class RandomInvert(Augmentation):
    """Randomly inverts images."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(1.0, description="The maximum probability of changing an image; or [low, high] to draw from.")
    value_range: ValueRange = (0, 255)


class Solarization(Augmentation):
    """Inverts values above a threshold."""

    addition_factor: Shares = Field(
        0.0, description="The maximum offset added first, as a fraction of the range; or [low, high] to draw from."
    )
    threshold_factor: Shares = Field(
        0.0, description="The maximum threshold, as a fraction of the range; or [low, high] to draw from."
    )
    value_range: ValueRange = (0, 255)


class RandomErasing(Augmentation):
    """Erases a random rectangle of images (Zhong et al. 2020)."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(1.0, description="The probability of changing an image; or [low, high] to draw from.")
    scale: Shares = Field(
        (0.02, 0.33), description="The area of the rectangle as a fraction of the image; or [low, high] to draw from."
    )
    fill_value: Number | tuple[Number, Number, Number] | None = Field(
        None, description="The fill value, or one per RGB channel; null: noise."
    )
    value_range: ValueRange = (0, 255)


class RandomGaussianBlur(Augmentation):
    """Randomly applies a Gaussian blur to images."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(1.0, description="The probability of changing an image; or [low, high] to draw from.")
    kernel_size: PositiveInt | tuple[PositiveInt, PositiveInt] = Field(3, description="The odd size of the blur kernel.")
    sigma: Shares = Field(1.0, description="The standard deviation of the blur; or [low, high] to draw from.")
    value_range: ValueRange = (0, 255)

    @field_validator("kernel_size")
    @classmethod
    def _odd(cls, size: int | tuple[int, int]) -> int | tuple[int, int]:
        if not all(side % 2 for side in (size if isinstance(size, tuple) else (size,))):
            raise ValueError("`kernel_size` must be odd")
        return size
