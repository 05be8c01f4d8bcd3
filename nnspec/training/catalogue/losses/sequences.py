"""Losses of whole sequences and of whole batches."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.scalars import Flag, PositiveNumber
from nnspec.training.batches.targets import Expected, TargetKind
from nnspec.training.catalogue.losses.base import Loss

__all__ = ["CTC", "Circle"]


class CTC(Loss):
    """Connectionist temporal classification (Graves et al. 2006): a sequence of labels without their places in time.

    The output is logits, time × classes; class 0 is the blank, and fills up shorter targets.
    """

    target: ClassVar[TargetKind | None] = "sequence"
    expects: ClassVar[Expected] = "logits"
    by_position: ClassVar[bool] = False

    def least_last_axis(self) -> int:
        return 2


class Circle(Loss):
    """Draws embeddings of one label together and pushes others apart (Sun et al. 2020); the output is a vector of length 1."""

    target: ClassVar[TargetKind | None] = "label"
    by_position: ClassVar[bool] = False

    gamma: PositiveNumber = Field(80.0, description="The scale.")
    margin: PositiveNumber = Field(0.4, description="The margin between similarities within and between labels.")
    remove_diagonal: Flag = Field(True, description="Whether an example is not compared with itself.")

    def least_last_axis(self) -> int:
        return 2
