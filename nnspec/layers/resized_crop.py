"""Random crops that are resized to the size of the image, which act only under ``data.augment``."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict, model_validator

from nnspec.layers.augmentation import Geometric, Interpolation
from nnspec.layers.scalars import PositiveNumber

_Area = Annotated[float, Strict(), Field(gt=0, le=1)]


class RandomResizedCrop(Geometric):
    """Crops a random part of each image and resizes it to the size of the image (Szegedy et al. 2015).

    A crop that would exceed the image has the image's height or width.
    """

    main_argument: ClassVar[str | None] = "area"

    area: tuple[_Area, _Area] = Field((0.3, 1.0), description="The range of the crop's area, as a share of the image's.")
    aspect_ratio: tuple[PositiveNumber, PositiveNumber] = Field(
        (0.75, 4 / 3), description="The range of the crop's width / height, relative to the image's."
    )
    interpolation: Interpolation = "bilinear"

    @model_validator(mode="after")
    def _ascending(self) -> RandomResizedCrop:
        for name in ("area", "aspect_ratio"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"`{name}` must be [low, high], but is [{low:g}, {high:g}]")
        return self
