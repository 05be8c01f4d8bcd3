"""Random geometric augmentations of images."""

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

_FILL = "The value outside the image if `fill_mode` is `constant`."

_Zoom = Annotated[float, Strict(), Field(gt=-1, le=1)]


class RandomFlip(Augmentation):
    """Randomly flips images horizontally, vertically or both."""

    main_argument: ClassVar[str | None] = "mode"

    mode: Literal["horizontal", "vertical", "horizontal_and_vertical"] = Field(
        "horizontal_and_vertical", description="The direction of the flips."
    )


class RandomRotation(Augmentation):
    """Randomly rotates images about their center."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Signed = Field(
        description="The maximum rotation in either direction as a fraction of a full turn; or [low, high] to draw from."
    )
    fill_mode: FillMode = "reflect"
    interpolation: Interpolation = "bilinear"
    fill_value: Number = Field(0.0, description=_FILL)


class RandomZoom(Augmentation):
    """Randomly zooms images in or out."""

    main_argument: ClassVar[str | None] = "height_factor"

    height_factor: _Zoom | tuple[_Zoom, _Zoom] = Field(
        description="The maximum zoom in either direction, positive for zooming out; or [low, high] to draw from."
    )
    width_factor: _Zoom | tuple[_Zoom, _Zoom] | None = Field(
        None, description="The zoom of the width; null: the same as the height."
    )
    fill_mode: FillMode = "reflect"
    interpolation: Interpolation = "bilinear"
    fill_value: Number = Field(0.0, description=_FILL)


class RandomTranslation(Augmentation):
    """Randomly shifts images."""

    height_factor: Signed = Field(
        description="The maximum vertical shift as a fraction of the height; or [low, high] to draw from."
    )
    width_factor: Signed = Field(
        description="The maximum horizontal shift as a fraction of the width; or [low, high] to draw from."
    )
    fill_mode: FillMode = "reflect"
    interpolation: Interpolation = "bilinear"
    fill_value: Number = Field(0.0, description=_FILL)


class RandomShear(Augmentation):
    """Randomly shears images."""

    x_factor: Shares = Field(0.0, description="The maximum shear along the width; or [low, high] to draw from.")
    y_factor: Shares = Field(0.0, description="The maximum shear along the height; or [low, high] to draw from.")
    interpolation: Interpolation = "bilinear"
    fill_mode: FillMode = "reflect"
    fill_value: Number = Field(0.0, description=_FILL)


class RandomPerspective(Augmentation):
    """Applies a random perspective transformation to images."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(1.0, description="The probability of changing an image; or [low, high] to draw from.")
    scale: Share = Field(1.0, description="How far the corners may move.")
    interpolation: Interpolation = "bilinear"
    fill_value: Number = Field(0.0, description="The value outside the image.")


class RandomElasticTransform(Augmentation):
    """Applies a random elastic deformation to images (Simard et al. 2003)."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(1.0, description="The probability of changing an image; or [low, high] to draw from.")
    scale: Shares = Field(1.0, description="The strength of the deformation; or [low, high] to draw from.")
    interpolation: Interpolation = "bilinear"
    fill_mode: FillMode = "reflect"
    fill_value: Number = Field(0.0, description=_FILL)
    value_range: ValueRange = (0, 255)
