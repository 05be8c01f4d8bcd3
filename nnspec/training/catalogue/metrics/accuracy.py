"""Accuracy metrics."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.layers.scalars import Flag, PositiveInt
from nnspec.training.catalogue.metrics.base import Falling, Rising
from nnspec.training.catalogue.targets import Expected, TargetKind


class Accuracy(Rising):
    """The accuracy for the kind of target that the loss takes: class indices, one-hot or binary."""

    def target_kind(self) -> TargetKind | None:
        return None


class SparseCategoricalAccuracy(Rising):
    """The share of examples whose largest output is the target class; targets are class indices."""

    target: ClassVar[TargetKind | None] = "class"
    instead: ClassVar[tuple[str, ...]] = ("CategoricalAccuracy", "BinaryAccuracy")


class SparseTopKCategoricalAccuracy(Rising):
    """The share of examples whose target class is among the largest outputs; targets are class indices."""

    target: ClassVar[TargetKind | None] = "class"
    instead: ClassVar[tuple[str, ...]] = ("TopKCategoricalAccuracy",)

    k: PositiveInt = Field(5, description="The number of largest outputs to consider.")
    from_sorted_ids: Flag = Field(False, description="Whether the output is sorted class indices instead of scores.")


class CategoricalAccuracy(Rising):
    """The share of examples whose largest output is the target class; targets are one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalAccuracy", "BinaryAccuracy")


class TopKCategoricalAccuracy(Rising):
    """The share of examples whose target class is among the largest outputs; targets are one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseTopKCategoricalAccuracy",)

    k: PositiveInt = Field(5, description="The number of largest outputs to consider.")


class BinaryAccuracy(Rising):
    """The accuracy of binary predictions."""

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalAccuracy",)

    threshold: Annotated[float, Strict(), Field(allow_inf_nan=False)] = Field(
        0.5, description="The threshold above which a prediction is 1; use 0 for logits."
    )

    def expected(self) -> Expected:
        return "probability" if 0 < self.threshold < 1 else "number"


class ExactMatch(Rising):
    """The share of examples that are correct at every position."""

    target: ClassVar[TargetKind | None] = "class"


class LabelErrorRate(Falling):
    """The edit distance between the labels of the best path and the targets, relative to the length of the targets.

    The output is as for the loss `CTC`: repeated classes are merged and class 0, the blank, is removed (Graves et al. 2006).
    """

    target: ClassVar[TargetKind | None] = "sequence"

    def expected(self) -> Expected:
        return "logits"
