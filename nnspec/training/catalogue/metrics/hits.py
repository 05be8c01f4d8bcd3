"""Hits and misses of yes or no: precision, recall, curves."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict

from nnspec.layers.scalars import Flag, Fraction, PositiveInt, PositiveNumber, WholeNumber
from nnspec.training.batches.targets import Expected, TargetKind
from nnspec.training.catalogue.metrics.base import FromLogits, Metric

__all__ = [
    "AUC",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Precision",
    "PrecisionAtRecall",
    "Recall",
    "RecallAtPrecision",
    "SensitivityAtSpecificity",
    "SpecificityAtSensitivity",
    "TrueNegatives",
    "TruePositives",
]


_Thresholds = Annotated[
    Fraction | list[Fraction] | None, Field(description="Above which an output counts as yes; null for 0.5.")
]
_ClassId = Annotated[WholeNumber | None, Field(ge=0, description="The class that is counted; null for all.")]
_Count = Annotated[PositiveInt, Field(description="Thresholds tried.")]


class _Hits(Metric):
    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"


class _Counts(_Hits):
    thresholds: _Thresholds = None


class TruePositives(_Counts):
    """How many times yes was right."""


class TrueNegatives(_Counts):
    """How many times no was right."""


class FalsePositives(_Counts):
    """How many times yes was wrong."""


class FalseNegatives(_Counts):
    """How many times no was wrong."""


class _Rate(_Hits):
    better: ClassVar[Literal["max", "min"] | None] = "max"

    thresholds: _Thresholds = None
    top_k: PositiveInt | None = Field(None, description="Counts the largest outputs as yes; null for the threshold.")
    class_id: _ClassId = None


class Precision(_Rate):
    """How much of what was said to be yes is."""


class Recall(_Rate):
    """How much of what is yes was found."""


class _Curve(_Hits):
    better: ClassVar[Literal["max", "min"] | None] = "max"

    num_thresholds: _Count = 200
    class_id: _ClassId = None


class PrecisionAtRecall(_Curve):
    """The best precision at a given recall."""

    recall: Fraction = Field(description="The recall.")


class RecallAtPrecision(_Curve):
    """The best recall at a given precision."""

    precision: Fraction = Field(description="The precision.")


class SensitivityAtSpecificity(_Curve):
    """The best sensitivity at a given specificity."""

    specificity: Fraction = Field(description="The specificity.")


class SpecificityAtSensitivity(_Curve):
    """The best specificity at a given sensitivity."""

    sensitivity: Fraction = Field(description="The sensitivity.")


class AUC(_Hits):
    """The area under the ROC or the precision–recall curve, from a number of thresholds."""

    better: ClassVar[Literal["max", "min"] | None] = "max"

    num_thresholds: Annotated[WholeNumber, Field(ge=2)] = Field(200, description="Thresholds tried.")
    curve: Literal["ROC", "PR", "PRGAIN"] = Field("ROC", description="The curve.")
    summation_method: Literal["interpolation", "majoring", "minoring"] = Field(
        "interpolation", description="How the area is summed."
    )
    thresholds: list[Fraction] | None = Field(
        None, description="The thresholds themselves; null for `num_thresholds` even ones."
    )
    multi_label: Flag = Field(False, description="Whether each label has its own area, then averaged.")
    num_labels: PositiveInt | None = Field(None, description="The number of labels, with `multi_label`.")
    label_weights: list[PositiveNumber] | None = Field(None, description="The weight of each label, with `multi_label`.")
    from_logits: FromLogits = False


class FBetaScore(_Hits):
    """The weighted harmonic mean of precision and recall, one metric a class unless averaged."""

    better: ClassVar[Literal["max", "min"] | None] = "max"

    average: Literal["micro", "macro", "weighted"] | None = Field(
        None, description="How the classes become one metric; null for one each."
    )
    beta: PositiveNumber = Field(1.0, description="How much more recall counts than precision.")
    threshold: Annotated[float, Strict(), Field(gt=0, le=1)] | None = Field(
        None, description="Above which an output counts as yes; null for the largest."
    )

    @classmethod
    def monitored(cls) -> str:
        return "fbeta_score"

    def expected(self) -> Expected:
        return "number" if self.threshold is None else "probability"


class F1Score(_Hits):
    """The harmonic mean of precision and recall, one metric a class unless averaged."""

    better: ClassVar[Literal["max", "min"] | None] = "max"

    average: Literal["micro", "macro", "weighted"] | None = Field(
        None, description="How the classes become one metric; null for one each."
    )
    threshold: Annotated[float, Strict(), Field(gt=0, le=1)] | None = Field(
        None, description="Above which an output counts as yes; null for the largest."
    )

    def expected(self) -> Expected:
        return "number" if self.threshold is None else "probability"
