"""What is watched beside the loss: Keras's metrics."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict

from nnspec.layers.scalars import Flag, Fraction, PositiveInt, PositiveNumber, WholeNumber
from nnspec.training.targets import Compares, Expected, TargetKind
from nnspec.types import Family

__all__ = ["LEFT_OUT", "METRICS", "Metric"]

_SHORT = {
    "Accuracy": ("acc",),
    "BinaryCrossentropy": ("bce", "BCE"),
    "LogCoshError": ("logcosh",),
    "MeanAbsoluteError": ("mae", "MAE"),
    "MeanAbsolutePercentageError": ("mape", "MAPE"),
    "MeanSquaredError": ("mse", "MSE"),
    "MeanSquaredLogarithmicError": ("msle", "MSLE"),
}

_NAMES = (
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "BinaryIoU",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "ConcordanceCorrelation",
    "CosineSimilarity",
    "F1Score",
    "FBetaScore",
    "FalseNegatives",
    "FalsePositives",
    "Hinge",
    "IoU",
    "KLDivergence",
    "LogCoshError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanIoU",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "OneHotIoU",
    "OneHotMeanIoU",
    "PearsonCorrelation",
    "Poisson",
    "Precision",
    "PrecisionAtRecall",
    "R2Score",
    "Recall",
    "RecallAtPrecision",
    "RootMeanSquaredError",
    "SensitivityAtSpecificity",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "SpecificityAtSensitivity",
    "SquaredHinge",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
)


def _snake(name: str) -> str:
    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


METRICS = Family(
    kind="metric",
    modules=dict.fromkeys(_NAMES, __name__),
    aliases={
        "RMSE": "RootMeanSquaredError",
        "MAE": "MeanAbsoluteError",
        "R2": "R2Score",
        "Top5Accuracy": "TopKCategoricalAccuracy",
    },
    spellings={_snake(name): name for name in _NAMES} | {short: name for name, all in _SHORT.items() for short in all},
)
"""Every metric by name; Keras's snake case and short names are accepted too."""

LEFT_OUT = {
    "Mean": "the mean of values, not of a comparison; the loss `Value` shows that of an output",
    "MeanMetricWrapper": "takes a Python function",
    "Metric": "the base class",
    "Sum": "the sum of values, not of a comparison",
}
"""Keras's metrics that a spec cannot name, each with the reason."""

_Axis = Annotated[WholeNumber, Field(description="The axis the classes stand along.")]
_Logits = Annotated[Flag, Field(description="Whether the output is logits, not probabilities.")]
_Thresholds = Annotated[
    Fraction | list[Fraction] | None, Field(description="Above which an output counts as yes; null for 0.5.")
]
_ClassId = Annotated[WholeNumber | None, Field(ge=0, description="The class that is counted; null for all.")]
_Count = Annotated[PositiveInt, Field(description="Thresholds tried.")]


class Metric(Compares):
    """A figure over all examples of an epoch."""

    better: ClassVar[Literal["max", "min"] | None] = None
    """Which way it improves; None where that cannot be said."""

    @classmethod
    def monitored(cls) -> str:
        """What it is called in logs, behind the output's name: ``digit_sparse_categorical_accuracy``."""
        return _snake(cls.__name__)


class _Up(Metric):
    better: ClassVar[Literal["max", "min"] | None] = "max"


class _Down(Metric):
    better: ClassVar[Literal["max", "min"] | None] = "min"


# --- accuracy ---------------------------------------------------------------------------------------------------------


class Accuracy(_Up):
    """The share that is right: of classes, one-hot or not, or of yes and no, as the loss has it."""

    def target_kind(self) -> TargetKind | None:
        return None


class SparseCategoricalAccuracy(_Up):
    """How often the largest output is the target's class; the target is the class's index."""

    target: ClassVar[TargetKind | None] = "class"
    instead: ClassVar[tuple[str, ...]] = ("CategoricalAccuracy", "BinaryAccuracy")


class SparseTopKCategoricalAccuracy(_Up):
    """How often the target's class is among the largest outputs; the target is the class's index."""

    target: ClassVar[TargetKind | None] = "class"
    instead: ClassVar[tuple[str, ...]] = ("TopKCategoricalAccuracy",)

    k: PositiveInt = Field(5, description="How many of the largest outputs.")
    from_sorted_ids: Flag = Field(False, description="Whether the output is class indices, best first, not scores.")


class CategoricalAccuracy(_Up):
    """How often the largest output is the target's class; the target is one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalAccuracy", "BinaryAccuracy")


class TopKCategoricalAccuracy(_Up):
    """How often the target's class is among the largest outputs; the target is one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseTopKCategoricalAccuracy",)

    k: PositiveInt = Field(5, description="How many of the largest outputs.")


class BinaryAccuracy(_Up):
    """How often yes or no is right."""

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalAccuracy",)

    threshold: Annotated[float, Strict(), Field(allow_inf_nan=False)] = Field(
        0.5, description="Above which an output counts as yes; 0 for logits."
    )

    def expected(self) -> Expected:
        return "probability" if 0 < self.threshold < 1 else "number"


# --- cross-entropy and divergence -------------------------------------------------------------------------------------


class SparseCategoricalCrossentropy(_Down):
    """Cross-entropy with one class of several; the target is the class's index."""

    target: ClassVar[TargetKind | None] = "class"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("CategoricalCrossentropy", "BinaryCrossentropy")

    from_logits: _Logits = False
    ignore_class: WholeNumber | None = Field(None, description="A target that is left out, often −1 or 255.")
    axis: _Axis = -1


class CategoricalCrossentropy(_Down):
    """Cross-entropy with one class of several; the target is one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy", "BinaryCrossentropy")

    from_logits: _Logits = False
    label_smoothing: Fraction = Field(0.0, description="What is taken from the target's 1 and spread over the classes.")
    axis: _Axis = -1


class BinaryCrossentropy(_Down):
    """Cross-entropy of each element with yes or no, 1 or 0."""

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy",)

    from_logits: _Logits = False
    label_smoothing: Fraction = Field(0.0, description="How far the target is moved towards 0.5.")


class KLDivergence(_Down):
    """The Kullback–Leibler divergence of the output from the target."""

    target: ClassVar[TargetKind | None] = "distribution"
    expects: ClassVar[Expected] = "distribution"


class Poisson(_Down):
    """The likelihood of counts, the output being their expected number."""

    target: ClassVar[TargetKind | None] = "non_negative"


class Hinge(_Down):
    """How far the output is from the right side of a margin."""

    target: ClassVar[TargetKind | None] = "sign"


class SquaredHinge(_Down):
    """The square of the hinge loss."""

    target: ClassVar[TargetKind | None] = "sign"


class CategoricalHinge(_Down):
    """The margin between the right class and the best of the others; the target is one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"


# --- numbers ----------------------------------------------------------------------------------------------------------


class MeanSquaredError(_Down):
    """The mean of the squared differences."""


class RootMeanSquaredError(_Down):
    """The root of the mean of the squared differences, in the target's unit."""


class MeanAbsoluteError(_Down):
    """The mean of the absolute differences, in the target's unit."""


class MeanAbsolutePercentageError(_Down):
    """The mean of the absolute differences, as a percentage of the target."""


class MeanSquaredLogarithmicError(_Down):
    """The mean of the squared differences of ``log(1 + x)``."""

    target: ClassVar[TargetKind | None] = "non_negative"


class LogCoshError(_Down):
    """The mean of ``log(cosh(x))`` of the differences."""

    @classmethod
    def monitored(cls) -> str:
        return "logcosh"


class R2Score(_Up):
    """The share of the target's variance that is explained: 1 is perfect, 0 no better than the mean."""

    class_aggregation: Literal["uniform_average", "variance_weighted_average"] | None = Field(
        "uniform_average", description="How several outputs become one figure; null for one figure each."
    )
    num_regressors: Annotated[WholeNumber, Field(ge=0)] = Field(
        0, description="Independent variables, for the adjusted score; 0 for not."
    )


class CosineSimilarity(_Up):
    """The cosine of the angle between output and target."""

    axis: WholeNumber = Field(-1, description="The axis the vectors stand along.")


class PearsonCorrelation(_Up):
    """The linear correlation of output and target, computed within each example and averaged."""

    axis: WholeNumber = Field(-1, description="The axis along which they are correlated; 0 for the batch.")


class ConcordanceCorrelation(_Up):
    """The concordance of output and target (Lin 1989), computed within each example and averaged."""

    axis: WholeNumber = Field(-1, description="The axis along which they are compared; 0 for the batch.")


# --- hits and misses --------------------------------------------------------------------------------------------------


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
    from_logits: _Logits = False


class FBetaScore(_Hits):
    """The weighted harmonic mean of precision and recall, one figure a class unless averaged."""

    better: ClassVar[Literal["max", "min"] | None] = "max"

    average: Literal["micro", "macro", "weighted"] | None = Field(
        None, description="How the classes become one figure; null for one each."
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
    """The harmonic mean of precision and recall, one figure a class unless averaged."""

    better: ClassVar[Literal["max", "min"] | None] = "max"

    average: Literal["micro", "macro", "weighted"] | None = Field(
        None, description="How the classes become one figure; null for one each."
    )
    threshold: Annotated[float, Strict(), Field(gt=0, le=1)] | None = Field(
        None, description="Above which an output counts as yes; null for the largest."
    )

    def expected(self) -> Expected:
        return "number" if self.threshold is None else "probability"


# --- overlap ----------------------------------------------------------------------------------------------------------


class BinaryIoU(_Up):
    """The overlap of what was said to be yes with what is: intersection over union."""

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"

    target_class_ids: list[Literal[0, 1]] | tuple[Literal[0, 1], ...] = Field(
        (0, 1), description="Which of no (0) and yes (1) count."
    )
    threshold: Fraction = Field(0.5, description="Above which an output counts as yes.")


class _Overlap(_Up):
    num_classes: Annotated[WholeNumber, Field(ge=2)] = Field(description="The number of classes.")
    ignore_class: WholeNumber | None = Field(None, description="A target that is left out, often −1 or 255.")
    axis: _Axis = -1

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
