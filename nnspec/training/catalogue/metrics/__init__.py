"""What is watched beside the loss: Keras's metrics. A metric's module is imported when a spec first names it."""

from __future__ import annotations

from nnspec.training.catalogue.metrics.base import snake_case
from nnspec.types import Family

__all__ = ["LEFT_OUT", "METRICS", "OURS"]

_MODULES = {
    "accuracy": (
        "Accuracy",
        "BinaryAccuracy",
        "CategoricalAccuracy",
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
    "overlap": (
        "BinaryDice",
        "BinaryIoU",
        "IoU",
        "MeanDice",
        "MeanIoU",
        "OneHotIoU",
        "OneHotMeanIoU",
    ),
    "sequences": (
        "ExactMatch",
        "Perplexity",
    ),
}

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
    other_words={
        **dict.fromkeys(("f1", "fscore"), "write `F1Score`"),
        **dict.fromkeys(
            ("topk", "topkaccuracy", "top5"),
            "write `SparseTopKCategoricalAccuracy` for a class's index, `TopKCategoricalAccuracy` for a one-hot target",
        ),
        **dict.fromkeys(("dice", "dicescore"), "write `MeanDice`, of classes, or `BinaryDice`, of yes or no"),
        **dict.fromkeys(("jaccard",), "write `MeanIoU`, of classes, or `BinaryIoU`, of yes or no"),
        **dict.fromkeys(("roc", "rocauc", "aucroc"), "write `AUC`"),
        **dict.fromkeys(("sensitivity", "tpr"), "write `Recall`"),
        **dict.fromkeys(("specificity",), "write `SpecificityAtSensitivity: {sensitivity: …}`"),
        **dict.fromkeys(("confusion", "confusionmatrix"), "`nnspec evaluate` shows it; no metric is needed"),
    },
    aliases={
        "Dice": "BinaryDice",
        "DiceScore": "BinaryDice",
        "RMSE": "RootMeanSquaredError",
        "R2": "R2Score",
        "TokenAccuracy": "SparseCategoricalAccuracy",
        "Top5Accuracy": "TopKCategoricalAccuracy",
    },
    spellings={snake_case(name): name for name in _NAMES} | {short: name for name, all in _SHORT.items() for short in all},
)
"""Every metric by name; Keras's snake case and short names are accepted too."""

LEFT_OUT = {
    "Mean": "the mean of values, not of a comparison; the loss `Value` shows that of an output",
    "MeanMetricWrapper": "takes a Python function",
    "Metric": "the base class",
    "Sum": "the sum of values, not of a comparison",
}
"""Keras's metrics that a spec cannot name, each with the reason."""

OURS = {
    "BinaryDice": "the metric by which segmentations are compared; Keras has it as a loss alone",
    "ExactMatch": "whether all of a sequence is right, which the mean over its positions does not say",
    "MeanDice": "the same for several classes",
    "Perplexity": "the metric by which language models are compared",
}
"""Metrics that Keras does not have, each with the reason."""
