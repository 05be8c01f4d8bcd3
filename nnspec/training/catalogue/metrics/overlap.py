"""How far regions overlap: intersection over union, and the Dice coefficients, which Keras has not."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnspec.layers.scalars import Flag, Fraction, WholeNumber
from nnspec.training.batches.targets import Expected, TargetKind
from nnspec.training.catalogue.metrics.base import ClassAxis, Rising

__all__ = ["BinaryDice", "BinaryIoU", "IoU", "MeanDice", "MeanIoU", "OneHotIoU", "OneHotMeanIoU"]


class BinaryIoU(Rising):
    """The overlap of what was said to be yes with what is: intersection over union."""

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"

    target_class_ids: list[Literal[0, 1]] | tuple[Literal[0, 1], ...] = Field(
        (0, 1), description="Which of no (0) and yes (1) count."
    )
    threshold: Fraction = Field(0.5, description="Above which an output counts as yes.")


class _Overlap(Rising):
    num_classes: Annotated[WholeNumber, Field(ge=2)] = Field(description="The number of classes.")
    ignore_class: WholeNumber | None = Field(None, description="A target that is left out, often −1 or 255.")
    axis: ClassAxis = -1

    def least_last_axis(self) -> int:
        return 2 if self.expected() != "class" else 1


class _SparseOverlap(_Overlap):
    sparse_y_true: Flag = Field(True, description="Whether the target is class indices, not one-hot.")
    sparse_y_pred: Flag = Field(True, description="Whether the output is class indices, not a score for each class.")

    def target_kind(self) -> TargetKind | None:
        return "class" if self.sparse_y_true else "distribution"

    def expected(self) -> Expected:
        return "class" if self.sparse_y_pred else "number"


class MeanIoU(_SparseOverlap):
    """The overlap of output and target, averaged over the classes; scores for each class want `sparse_y_pred: false`."""


class IoU(_SparseOverlap):
    """The overlap of output and target for some classes; scores for each class want `sparse_y_pred: false`."""

    target_class_ids: list[WholeNumber] = Field(min_length=1, description="The classes that count.")


class _OneHotOverlap(_Overlap):
    target: ClassVar[TargetKind | None] = "distribution"

    sparse_y_pred: Flag = Field(False, description="Whether the output is class indices, not a score for each class.")

    def expected(self) -> Expected:
        return "class" if self.sparse_y_pred else "number"


class OneHotMeanIoU(_OneHotOverlap):
    """The overlap of output and a one-hot target, averaged over the classes."""


class OneHotIoU(_OneHotOverlap):
    """The overlap of output and a one-hot target for some classes."""

    target_class_ids: list[WholeNumber] = Field(min_length=1, description="The classes that count.")


class BinaryDice(Rising):
    """The overlap of what was said to be yes with what is, counted over all examples: 2·|A ∩ B| / (|A| + |B|) (Dice 1945).

    Outputs are cut at the threshold: it is not one less the loss `Dice`, which takes them as they are. 0 where neither is.
    """

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"
    instead: ClassVar[tuple[str, ...]] = ("MeanDice",)

    threshold: Fraction = Field(0.5, description="Above which an output counts as yes.")


class MeanDice(Rising):
    """The same of each class against the rest, the class with the highest score being predicted, averaged over the classes.

    A class that is nowhere and was never said does not count, nor does a position that the loss leaves out.
    """

    target: ClassVar[TargetKind | None] = "class"
    instead: ClassVar[tuple[str, ...]] = ("BinaryDice",)

    target_class_ids: list[WholeNumber] | None = Field(
        None, min_length=1, description="The classes that count, without the background, say; null for all."
    )
    sparse_y_true: Flag = Field(True, description="Whether the target is class indices, not one-hot.")
    axis: ClassAxis = -1

    def target_kind(self) -> TargetKind | None:
        return "class" if self.sparse_y_true else "distribution"
