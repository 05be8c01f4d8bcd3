"""Losses of embeddings and distances."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.scalars import PositiveNumber
from nnspec.training.catalogue.losses.base import Loss
from nnspec.training.catalogue.targets import TargetKind
from nnspec.types import TensorType


class Triplet(Loss):
    """Triplet loss of embeddings with the hardest positive and negative of the batch (Hermans et al. 2017).

    Examples without another example of their label, or without one of another label, are ignored.
    """

    target: ClassVar[TargetKind | None] = "label"
    by_position: ClassVar[bool] = False

    margin: PositiveNumber = Field(1.0, description="By how much farther a negative must be than a positive.")

    def misfit(self, output: TensorType) -> tuple[str, str] | None:
        return None if output.rank == 1 else ("needs one embedding for each example", "add `Flatten`, or a pooling layer")


class ContrastivePairs(Loss):
    """Contrastive loss of distances (Hadsell et al. 2006); targets are 1 for similar pairs and 0 for dissimilar ones."""

    target: ClassVar[TargetKind | None] = "probability"

    margin: PositiveNumber = Field(1.0, description="The distance from which dissimilar pairs have no loss.")
