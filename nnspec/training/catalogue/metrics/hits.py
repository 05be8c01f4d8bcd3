"""Metrics of binary predictions: counts, precision, recall, areas under curves."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict

from nnspec.layers.scalars import Flag, Fraction, PositiveInt, PositiveNumber, WholeNumber
from nnspec.training.catalogue.losses.base import FromLogits
from nnspec.training.catalogue.metrics.base import Metric, Rising
from nnspec.training.catalogue.targets import Expected, TargetKind

_Thresholds = Annotated[
    Fraction | list[Fraction] | None, Field(description="The thresholds above which a prediction is 1; null: 0.5.")
]
_ClassId = Annotated[WholeNumber | None, Field(ge=0, description="The class to compute the metric for; null: all.")]
_Count = Annotated[PositiveInt, Field(description="The number of thresholds.")]


class _Hits(Metric):
    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"


class _Counts(_Hits):
    thresholds: _Thresholds = None


class TruePositives(_Counts):
    """The number of true positives."""


class TrueNegatives(_Counts):
    """The number of true negatives."""


class FalsePositives(_Counts):
    """The number of false positives."""


class FalseNegatives(_Counts):
    """The number of false negatives."""


class _Rate(_Hits, Rising):
    thresholds: _Thresholds = None
    top_k: PositiveInt | None = Field(
        None, description="The number of largest outputs that are predicted as 1; null: use the thresholds."
    )
    class_id: _ClassId = None


class Precision(_Rate):
    """The share of predicted positives that are positive."""


class Recall(_Rate):
    """The share of positives that are predicted."""


class _Curve(_Hits, Rising):
    num_thresholds: _Count = 200
    class_id: _ClassId = None


class PrecisionAtRecall(_Curve):
    """The best precision at a given recall."""

    recall: Fraction = Field(description="The recall.", examples=[0.8])


class RecallAtPrecision(_Curve):
    """The best recall at a given precision."""

    precision: Fraction = Field(description="The precision.", examples=[0.8])


class SensitivityAtSpecificity(_Curve):
    """The best sensitivity at a given specificity."""

    specificity: Fraction = Field(description="The specificity.", examples=[0.9])


class SpecificityAtSensitivity(_Curve):
    """The best specificity at a given sensitivity."""

    sensitivity: Fraction = Field(description="The sensitivity.", examples=[0.9])


class AUC(_Hits, Rising):
    """The area under the ROC or precision–recall curve, approximated with thresholds."""

    num_thresholds: Annotated[WholeNumber, Field(ge=2)] = Field(200, description="The number of thresholds.")
    curve: Literal["ROC", "PR", "PRGAIN"] = Field("ROC", description="The curve.")
    summation_method: Literal["interpolation", "majoring", "minoring"] = Field(
        "interpolation", description="The Riemann sum to use."
    )
    thresholds: list[Fraction] | None = Field(None, description="The thresholds; null: `num_thresholds` evenly spaced ones.")
    multi_label: Flag = Field(False, description="Whether to average the areas of the labels.")
    num_labels: PositiveInt | None = Field(None, description="The number of labels, with `multi_label`.")
    label_weights: list[PositiveNumber] | None = Field(None, description="The weight of each label, with `multi_label`.")
    from_logits: FromLogits = False


class _FScore(_Hits, Rising):
    average: Literal["micro", "macro", "weighted"] | None = Field(
        None, description="How to average the classes; null: one value for each."
    )
    threshold: Annotated[float, Strict(), Field(gt=0, le=1)] | None = Field(
        None, description="The threshold above which a prediction is 1; null: the largest output."
    )

    def expected(self) -> Expected:
        return "number" if self.threshold is None else "probability"


class FBetaScore(_FScore):
    """The weighted harmonic mean of precision and recall, one value for each class unless averaged."""

    beta: PositiveNumber = Field(1.0, description="The weight of recall relative to precision.")

    def monitored(self) -> str:
        return "fbeta_score"


class F1Score(_FScore):
    """The harmonic mean of precision and recall, one value for each class unless averaged."""
