"""Keras's metrics. The module of a metric is imported when a spec first names it."""

from __future__ import annotations

from nnspec.layers import snake_name
from nnspec.types import Family

__all__ = ["METRICS", "OF_SPLITS", "OURS", "UNSUPPORTED"]

_MODULES = {
    "accuracy": (
        "Accuracy",
        "BinaryAccuracy",
        "CategoricalAccuracy",
        "ExactMatch",
        "LabelErrorRate",
        "SparseCategoricalAccuracy",
        "SparseTopKCategoricalAccuracy",
        "TopKCategoricalAccuracy",
    ),
    "probability": (
        "BinaryCrossentropy",
        "CategoricalCrossentropy",
        "CategoricalHinge",
        "Hinge",
        "KLDivergence",
        "Perplexity",
        "Poisson",
        "SparseCategoricalCrossentropy",
        "SquaredHinge",
    ),
    "regression": (
        "ConcordanceCorrelation",
        "CosineSimilarity",
        "LogCoshError",
        "MeanAbsoluteError",
        "MeanAbsolutePercentageError",
        "MeanSquaredError",
        "MeanSquaredLogarithmicError",
        "PearsonCorrelation",
        "R2Score",
        "RootMeanSquaredError",
    ),
    "hits": (
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
    ),
    "detection": ("MeanAveragePrecision",),
    "overlap": (
        "BinaryDice",
        "BinaryIoU",
        "IoU",
        "MeanDice",
        "MeanIoU",
        "OneHotIoU",
        "OneHotMeanIoU",
    ),
}

OF_SPLITS = _MODULES["detection"]
"""The metrics of a whole split, which read several outputs and fields."""

_SHORT = {
    "Accuracy": ("acc",),
    "BinaryCrossentropy": ("bce", "BCE"),
    "LogCoshError": ("logcosh",),
    "MeanAbsoluteError": ("mae", "MAE"),
    "MeanAbsolutePercentageError": ("mape", "MAPE"),
    "MeanSquaredError": ("mse", "MSE"),
    "MeanSquaredLogarithmicError": ("msle", "MSLE"),
}

_NAMES = {name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names}

METRICS = Family(
    kind="metric",
    modules=_NAMES,
    replacements={
        **dict.fromkeys(("f1", "fscore"), "write `F1Score`"),
        **dict.fromkeys(
            ("topk", "topkaccuracy", "top5"),
            "write `SparseTopKCategoricalAccuracy` for class indices, `TopKCategoricalAccuracy` for one-hot targets",
        ),
        **dict.fromkeys(("dice", "dicescore"), "write `MeanDice` for classes, or `BinaryDice` for binary masks"),
        **dict.fromkeys(("map", "coco", "cocometrics", "boxcocometrics", "averageprecision"), "write `MeanAveragePrecision`"),
        **dict.fromkeys(("jaccard",), "write `MeanIoU` for classes, or `BinaryIoU` for binary masks"),
        **dict.fromkeys(("roc", "rocauc", "aucroc"), "write `AUC`"),
        **dict.fromkeys(("sensitivity", "tpr"), "write `Recall`"),
        **dict.fromkeys(("specificity",), "write `SpecificityAtSensitivity: {sensitivity: …}`"),
        **dict.fromkeys(("confusion", "confusionmatrix"), "`nnspec evaluate` prints it without a metric"),
    },
    aliases={
        "Dice": "BinaryDice",
        "DiceScore": "BinaryDice",
        "RMSE": "RootMeanSquaredError",
        "R2": "R2Score",
        "TokenAccuracy": "SparseCategoricalAccuracy",
        "Top5Accuracy": "TopKCategoricalAccuracy",
    },
    inexact=frozenset({"Dice", "DiceScore", "TokenAccuracy", "Top5Accuracy"}),
    spellings={snake_name(name): name for name in _NAMES} | {short: name for name, all in _SHORT.items() for short in all},
)
"""Every metric by name; Keras's snake-case and short names are also accepted."""

UNSUPPORTED = {
    "Mean": "the mean of values instead of a comparison; the loss `Value` is the mean of an output",
    "MeanMetricWrapper": "takes a Python function",
    "Metric": "the base class",
    "Sum": "the sum of values instead of a comparison",
}
"""Keras's metrics that are not available in specs, each with the reason."""

OURS = {
    "BinaryDice": "a standard metric of segmentation, which Keras only has as a loss",
    "ExactMatch": "the accuracy of whole sequences instead of positions",
    "LabelErrorRate": "the standard metric of `CTC`",
    "MeanAveragePrecision": "the standard metric of detectors",
    "MeanDice": "`BinaryDice` for several classes",
    "Perplexity": "the standard metric of language models",
}
"""Metrics that Keras does not have, each with the reason."""
