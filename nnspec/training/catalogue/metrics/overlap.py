"""Overlap metrics: intersection over union, and Dice coefficients, which Keras does not have."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from nnspec.layers.scalars import Flag, Fraction, WholeNumber
from nnspec.training.catalogue.losses.base import ClassAxis
from nnspec.training.catalogue.metrics.base import Rising
from nnspec.training.catalogue.targets import Expected, TargetKind


class BinaryIoU(Rising):
    """Intersection over union of binary masks."""

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"

    target_class_ids: list[Literal[0, 1]] | tuple[Literal[0, 1], ...] = Field(
        (0, 1), description="The classes to average over: 0, 1 or both."
    )
    threshold: Fraction = Field(0.5, description="The threshold above which a prediction is 1.")


class _Overlap(Rising):
    num_classes: Annotated[WholeNumber, Field(ge=2)] = Field(description="The number of classes.", examples=[10])
    ignore_class: WholeNumber | None = Field(None, description="A class index to ignore, often −1 or 255.")
    axis: ClassAxis = -1

    def least_last_axis(self) -> int:
        return 2 if self.expected() != "class" else 1


class _SparseOverlap(_Overlap):
    sparse_y_true: Flag = Field(True, description="Whether the target is class indices instead of one-hot.")
    sparse_y_pred: Flag = Field(True, description="Whether the output is class indices instead of scores.")

    def target_kind(self) -> TargetKind | None:
        return "class" if self.sparse_y_true else "distribution"

    def expected(self) -> Expected:
        return "class" if self.sparse_y_pred else "number"


class MeanIoU(_SparseOverlap):
    """Mean intersection over union of the classes. For scores as output, set `sparse_y_pred: false`."""


class IoU(_SparseOverlap):
    """Mean intersection over union of the given classes. For scores as output, set `sparse_y_pred: false`."""

    target_class_ids: list[WholeNumber] = Field(min_length=1, description="The classes to average over.", examples=[[1, 2]])


class _OneHotOverlap(_Overlap):
    target: ClassVar[TargetKind | None] = "distribution"

    sparse_y_pred: Flag = Field(False, description="Whether the output is class indices instead of scores.")

    def expected(self) -> Expected:
        return "class" if self.sparse_y_pred else "number"


class OneHotMeanIoU(_OneHotOverlap):
    """Mean intersection over union of the classes; targets are one-hot."""


class OneHotIoU(_OneHotOverlap):
    """Mean intersection over union of the given classes; targets are one-hot."""

    target_class_ids: list[WholeNumber] = Field(min_length=1, description="The classes to average over.", examples=[[1, 2]])


class BinaryDice(Rising):
    """The Dice coefficient of binary masks over all examples: 2·|A ∩ B| / (|A| + |B|) (Dice 1945).

    Outputs are thresholded, unlike in the loss `Dice`. It is 0 if both masks are empty.
    """

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"
    instead: ClassVar[tuple[str, ...]] = ("MeanDice",)

    threshold: Fraction = Field(0.5, description="The threshold above which a prediction is 1.")


class MeanDice(Rising):
    """The mean one-vs-rest Dice coefficient of the classes; the class with the highest score is predicted.

    Classes that neither occur nor are predicted, and positions that the loss ignores, do not count.
    """

    target: ClassVar[TargetKind | None] = "class"
    instead: ClassVar[tuple[str, ...]] = ("BinaryDice",)

    target_class_ids: list[WholeNumber] | None = Field(
        None, min_length=1, description="The classes to average over, for example without the background; null: all."
    )
    sparse_y_true: Flag = Field(True, description="Whether the target is class indices instead of one-hot.")
    axis: ClassAxis = -1

    def target_kind(self) -> TargetKind | None:
        return "class" if self.sparse_y_true else "distribution"
