"""Mosaics of examples, which act only under ``data.augment``."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.layers.augmentation import Mixing, Share, Shares
from nnspec.layers.scalars import Number

_Scale = Annotated[float, Strict(), Field(gt=0, le=1)]


class RandomMosaic(Mixing):
    """Composes each image of four images of the batch, which meet at a random point (Bochkovskiy et al. 2020).

    Each image is downscaled at random, and touches the point with a corner; what exceeds its quarter is cut off, and what it
    leaves free is filled. Boxes and masks are composed with the images. If there are more boxes than rows, the last are lost.
    """

    mixes_targets: ClassVar[bool] = False

    factor: Share = Field(1.0, description="The probability of changing an image.")
    center: Shares = Field(
        (0.3, 0.7), description="The point, as a share of the height and width; or [low, high] to draw from."
    )
    scale: _Scale | tuple[_Scale, _Scale] = Field(
        (0.5, 1.0), description="The scale of each image; or [low, high] to draw from."
    )
    fill_value: Number = Field(0.0, description="The value where there is no image.")
