"""Random changes of where things are in a picture."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict

from nnspec.layers.augmentation import Augmentation, FillMode, Interpolation, Share, Shares, Signed, ValueRange
from nnspec.layers.scalars import Number

__all__ = [
    "RandomElasticTransform",
    "RandomFlip",
    "RandomPerspective",
    "RandomRotation",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
]

_FILL = "What lies beyond the border where `fill_mode` is `constant`."

_Zoom = Annotated[float, Strict(), Field(gt=-1, le=1)]


class RandomFlip(Augmentation):
    """Flips pictures left to right, upside down or both."""

    main_argument: ClassVar[str | None] = "mode"

    mode: Literal["horizontal", "vertical", "horizontal_and_vertical"] = Field(
        "horizontal_and_vertical", description="Which way they are flipped."
    )


class RandomRotation(Augmentation):
    """Turns pictures about their centre."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Signed = Field(description="The largest turn either way, 1 a whole one; or the two it is drawn between.")
    fill_mode: FillMode = "reflect"
    interpolation: Interpolation = "bilinear"
    fill_value: Number = Field(0.0, description=_FILL)


class RandomZoom(Augmentation):
    """Enlarges pictures, or makes them smaller."""

    main_argument: ClassVar[str | None] = "height_factor"

    height_factor: _Zoom | tuple[_Zoom, _Zoom] = Field(
        description="The largest change either way, above 0 where it becomes smaller; or the two it is drawn between."
    )
    width_factor: _Zoom | tuple[_Zoom, _Zoom] | None = Field(None, description="The same for the width; null: as the height.")
    fill_mode: FillMode = "reflect"
    interpolation: Interpolation = "bilinear"
    fill_value: Number = Field(0.0, description=_FILL)


class RandomTranslation(Augmentation):
    """Shifts pictures."""

    height_factor: Signed = Field(description="The largest shift up or down, 0.1 a tenth; or the two it is drawn between.")
    width_factor: Signed = Field(description="The largest shift left or right, 0.1 a tenth; or the two it is drawn between.")
    fill_mode: FillMode = "reflect"
    interpolation: Interpolation = "bilinear"
    fill_value: Number = Field(0.0, description=_FILL)


class RandomShear(Augmentation):
    """Slants pictures."""

    x_factor: Shares = Field(0.0, description="The largest slant along the width; or the two it is drawn between.")
    y_factor: Shares = Field(0.0, description="The largest slant along the height; or the two it is drawn between.")
    interpolation: Interpolation = "bilinear"
    fill_mode: FillMode = "reflect"
    fill_value: Number = Field(0.0, description=_FILL)


class RandomPerspective(Augmentation):
    """Moves the corners of pictures, as if they were seen from elsewhere."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(1.0, description="How likely a picture is changed; or the two that is drawn between.")
    scale: Share = Field(1.0, description="How far the corners move.")
    interpolation: Interpolation = "bilinear"
    fill_value: Number = Field(0.0, description="What lies beyond the border.")


class RandomElasticTransform(Augmentation):
    """Bends pictures as if they were drawn on rubber (Simard et al. 2003)."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(1.0, description="How likely a picture is changed; or the two that is drawn between.")
    scale: Shares = Field(1.0, description="How far it is bent; or the two that is drawn between.")
    interpolation: Interpolation = "bilinear"
    fill_mode: FillMode = "reflect"
    fill_value: Number = Field(0.0, description=_FILL)
    value_range: ValueRange = (0, 255)
