"""Augmentations that mix the examples and targets of a batch; written under ``data.augment``, not in a graph."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.augmentation import Augmentation, Shares
from nnspec.layers.scalars import PositiveNumber


class Mixing(Augmentation):
    """Base class of augmentations that mix examples."""


class CutMix(Mixing):
    """Pastes a patch of another image into each image and mixes the targets by area (Yun et al. 2019)."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(1.0, description="How much the size of the patch varies; or [low, high] to draw from.")


class MixUp(Mixing):
    """Mixes each image and its targets with another example (Zhang et al. 2018)."""

    main_argument: ClassVar[str | None] = "alpha"

    alpha: PositiveNumber = Field(
        0.2, description="The parameter of the Beta distribution; small values leave most images almost unchanged."
    )
