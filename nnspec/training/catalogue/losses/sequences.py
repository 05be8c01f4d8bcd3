"""Losses of whole sequences or batches."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.scalars import Flag, PositiveNumber
from nnspec.training.catalogue.losses.base import Loss
from nnspec.training.catalogue.targets import Expected, TargetKind


class CTC(Loss):
    """Connectionist temporal classification (Graves et al. 2006), for label sequences without alignment.

    The output is logits, (time, classes); class 0 is the blank and pads shorter targets.
    """

    target: ClassVar[TargetKind | None] = "sequence"
    expects: ClassVar[Expected] = "logits"
    by_position: ClassVar[bool] = False

    def least_last_axis(self) -> int:
        return 2


class Circle(Loss):
    """Circle loss of normalized embeddings (Sun et al. 2020), which separates examples of different labels."""

    target: ClassVar[TargetKind | None] = "label"
    by_position: ClassVar[bool] = False

    gamma: PositiveNumber = Field(80.0, description="The scale.")
    margin: PositiveNumber = Field(0.4, description="The margin between similarities within and between labels.")
    remove_diagonal: Flag = Field(True, description="Whether to exclude the comparison of an example with itself.")

    def least_last_axis(self) -> int:
        return 2
