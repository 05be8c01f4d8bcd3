"""Random changes of the brightness, the contrast and the detail of a picture."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict, field_validator

from nnspec.layers.augmentation import Augmentation, Shares, Signed, ValueRange
from nnspec.layers.scalars import Number, PositiveInt

__all__ = [
    "RandomBrightness",
    "RandomContrast",
    "RandomErasing",
    "RandomGaussianBlur",
    "RandomInvert",
    "RandomPosterization",
    "RandomSharpness",
    "Solarization",
]

_Bits = Annotated[int, Strict(), Field(ge=1, le=8)]


class RandomBrightness(Augmentation):
    """Makes pictures brighter or darker."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Signed = Field(description="The largest change either way, −1 black and 1 white; or the two it is drawn between.")
    value_range: ValueRange = (0, 255)


class RandomContrast(Augmentation):
    """Moves values from a channel's mean, or towards it."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(description="The factor on the distance is drawn from 1 − this to 1 + this; or [below, above].")
    value_range: ValueRange = (0, 255)


class RandomSharpness(Augmentation):
    """Blurs or sharpens pictures."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(description="0 blurs, 0.5 changes nothing, 1 sharpens; or the two it is drawn between.")
    value_range: ValueRange = (0, 255)


class RandomPosterization(Augmentation):
    """Leaves fewer levels of brightness."""

    main_argument: ClassVar[str | None] = "factor"

    factor: _Bits | tuple[_Bits, _Bits] = Field(description="How many bits of a value are kept, 1 to 8.")
    value_range: ValueRange = (0, 255)


class RandomInvert(Augmentation):
    """Turns pictures into their negatives."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(1.0, description="The largest chance that a picture is changed; or the two that is drawn between.")
    value_range: ValueRange = (0, 255)


class Solarization(Augmentation):
    """Turns values above a threshold into their negatives."""

    addition_factor: Shares = Field(
        0.0, description="The largest share of the range added first; or the two it is drawn between."
    )
    threshold_factor: Shares = Field(
        0.0, description="The largest threshold, a share of the range; or the two it is drawn between."
    )
    value_range: ValueRange = (0, 255)


class RandomErasing(Augmentation):
    """Fills a rectangle of a picture (Zhong et al. 2020)."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(1.0, description="How likely a picture is changed; or the two that is drawn between.")
    scale: Shares = Field(
        (0.02, 0.33), description="How large the rectangle is, a share of the picture; or the two it is drawn between."
    )
    fill_value: Number | tuple[Number, Number, Number] | None = Field(
        None, description="What it is filled with, or a number for each of three channels; null: noise."
    )
    value_range: ValueRange = (0, 255)


class RandomGaussianBlur(Augmentation):
    """Blurs pictures."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(1.0, description="How likely a picture is changed; or the two that is drawn between.")
    kernel_size: PositiveInt | tuple[PositiveInt, PositiveInt] = Field(3, description="Size of the blur, an odd number.")
    sigma: Shares = Field(1.0, description="The standard deviation of the blur; or the two it is drawn between.")
    value_range: ValueRange = (0, 255)

    @field_validator("kernel_size")
    @classmethod
    def _odd(cls, size: int | tuple[int, int]) -> int | tuple[int, int]:
        if not all(side % 2 for side in (size if isinstance(size, tuple) else (size,))):
            raise ValueError("`kernel_size` must be odd: a blur has a middle")
        return size
