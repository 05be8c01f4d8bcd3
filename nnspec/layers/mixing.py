"""Changes that mix the examples of a batch, targets too. They stand under ``data.augment``, and are no steps of a graph."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.augmentation import Augmentation, Shares
from nnspec.layers.scalars import PositiveNumber

__all__ = ["CutMix", "MixUp", "Mixing"]


class Mixing(Augmentation):
    """What CutMix and MixUp share."""


class CutMix(Mixing):
    """Puts a part of another picture into each, and mixes the targets by its size (Yun et al. 2019)."""

    main_argument: ClassVar[str | None] = "factor"

    factor: Shares = Field(1.0, description="How much the size of the part varies; or the two it is drawn between.")


class MixUp(Mixing):
    """Mixes each picture, and its targets, with another one (Zhang et al. 2018)."""

    main_argument: ClassVar[str | None] = "alpha"

    alpha: PositiveNumber = Field(0.2, description="How strongly; small numbers leave most pictures nearly as they are.")
