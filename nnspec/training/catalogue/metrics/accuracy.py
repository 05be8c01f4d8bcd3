"""How often the answer is right."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.layers.scalars import Flag, PositiveInt
from nnspec.training.batches.targets import Expected, TargetKind
from nnspec.training.catalogue.metrics.base import Rising

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
]


class Accuracy(Rising):
    """The share that is right: of classes, one-hot or not, or of yes and no, as the loss has it."""

    def target_kind(self) -> TargetKind | None:
        return None


class SparseCategoricalAccuracy(Rising):
    """How often the largest output is the target's class; the target is the class's index."""

    target: ClassVar[TargetKind | None] = "class"
    instead: ClassVar[tuple[str, ...]] = ("CategoricalAccuracy", "BinaryAccuracy")


class SparseTopKCategoricalAccuracy(Rising):
    """How often the target's class is among the largest outputs; the target is the class's index."""

    target: ClassVar[TargetKind | None] = "class"
    instead: ClassVar[tuple[str, ...]] = ("TopKCategoricalAccuracy",)

    k: PositiveInt = Field(5, description="How many of the largest outputs.")
    from_sorted_ids: Flag = Field(False, description="Whether the output is class indices, best first, not scores.")


class CategoricalAccuracy(Rising):
    """How often the largest output is the target's class; the target is one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalAccuracy", "BinaryAccuracy")


class TopKCategoricalAccuracy(Rising):
    """How often the target's class is among the largest outputs; the target is one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseTopKCategoricalAccuracy",)

    k: PositiveInt = Field(5, description="How many of the largest outputs.")


class BinaryAccuracy(Rising):
    """How often yes or no is right."""

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalAccuracy",)

    threshold: Annotated[float, Strict(), Field(allow_inf_nan=False)] = Field(
        0.5, description="Above which an output counts as yes; 0 for logits."
    )

    def expected(self) -> Expected:
        return "probability" if 0 < self.threshold < 1 else "number"
