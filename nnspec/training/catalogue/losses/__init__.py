"""Keras's losses. The module of a loss is imported when a spec first names it."""

from __future__ import annotations

from nnspec.layers import snake_name
from nnspec.types import Family

__all__ = ["UNSUPPORTED", "LOSSES", "OURS"]

_MODULES = {
    "base": ("Value",),
    "boxes": ("CIoU", "GIoU", "IoU"),
    "classes": (
        "CategoricalCrossentropy",
        "CategoricalFocalCrossentropy",
        "CategoricalGeneralizedCrossEntropy",
        "CategoricalHinge",
        "KLDivergence",
        "SparseCategoricalCrossentropy",
    ),
    "binary": (
        "BinaryCrossentropy",
        "BinaryFocalCrossentropy",
        "Dice",
        "Hinge",
        "SquaredHinge",
        "Tversky",
    ),
    "regression": (
        "CosineSimilarity",
        "Huber",
        "LogCosh",
        "MeanAbsoluteError",
        "MeanAbsolutePercentageError",
        "MeanSquaredError",
        "MeanSquaredLogarithmicError",
        "Poisson",
    ),
    "sequences": (
        "CTC",
        "Circle",
    ),
    "likelihoods": (
        "GaussianNegativeLogLikelihood",
        "NegativeBinomial",
        "Quantile",
    ),
    "similarity": (
        "ContrastivePairs",
        "Triplet",
    ),
}

_SHORT = {
    "BinaryCrossentropy": ("bce", "BCE"),
    "CIoU": ("ciou",),
    "GIoU": ("giou",),
    "IoU": ("iou",),
    "KLDivergence": ("kld", "KLD"),
    "MeanAbsoluteError": ("mae", "MAE"),
    "MeanAbsolutePercentageError": ("mape", "MAPE"),
    "MeanSquaredError": ("mse", "MSE"),
    "MeanSquaredLogarithmicError": ("msle", "MSLE"),
}

_NAMES = {name: f"{__name__}.{module}" for module, names in _MODULES.items() for name in names}

_OF_CLASSES = (
    "write `SparseCategoricalCrossentropy` for class indices, `CategoricalCrossentropy` for one-hot targets, "
    "`BinaryCrossentropy` for binary targets; add `{from_logits: true}` after a layer without activation"
)

LOSSES = Family(
    kind="loss",
    modules=_NAMES,
    aliases={
        "BCELoss": "BinaryCrossentropy",
        "BCEWithLogitsLoss": "BinaryCrossentropy",
        "CTCLoss": "CTC",
        "ContrastiveLoss": "ContrastivePairs",
        "CrossEntropyLoss": "SparseCategoricalCrossentropy",
        "FocalLoss": "CategoricalFocalCrossentropy",
        "GaussianNLL": "GaussianNegativeLogLikelihood",
        "GaussianNLLLoss": "GaussianNegativeLogLikelihood",
        "HuberLoss": "Huber",
        "KLDivLoss": "KLDivergence",
        "L1Loss": "MeanAbsoluteError",
        "MSELoss": "MeanSquaredError",
        "NLLLoss": "SparseCategoricalCrossentropy",
        "NegativeBinomialLoss": "NegativeBinomial",
        "Pinball": "Quantile",
        "PinballLoss": "Quantile",
        "PoissonNLLLoss": "Poisson",
        "QuantileLoss": "Quantile",
        "SmoothL1Loss": "Huber",
        "TripletLoss": "Triplet",
        "TripletMarginLoss": "Triplet",
        "TripletSemiHardLoss": "Triplet",
    },
    inexact=frozenset(  # of logits, or of logarithms, or with other defaults
        {"BCEWithLogitsLoss", "CrossEntropyLoss", "FocalLoss", "KLDivLoss", "NLLLoss", "PoissonNLLLoss", "SmoothL1Loss"}
        | {"ContrastiveLoss", "TripletLoss", "TripletMarginLoss", "TripletSemiHardLoss"}
    ),
    spellings={snake_name(name): name for name in _NAMES if name != "Value" and not name.endswith("IoU")}
    | {short: name for name, all in _SHORT.items() for short in all},
    replacements={
        **dict.fromkeys(
            ("crossentropy", "crossentropyloss", "ce", "celoss", "xent", "logloss", "softmax", "logits"), _OF_CLASSES
        ),
        **dict.fromkeys(("nll", "nllloss", "negativeloglikelihood", "softmaxcrossentropy", "logistic"), _OF_CLASSES),
        **dict.fromkeys(("accuracy", "acc"), f"it is a metric: write `metrics: [Accuracy]`; for the loss, {_OF_CLASSES}"),
        **dict.fromkeys(("bcewithlogits", "bcewithlogitsloss"), "write `{BinaryCrossentropy: {from_logits: true}}`"),
        **dict.fromkeys(("l1", "absoluteerror"), "write `MeanAbsoluteError`"),
        **dict.fromkeys(("l2", "l2loss", "squarederror", "euclidean"), "write `MeanSquaredError`"),
        **dict.fromkeys(("rmse", "rootmeansquarederror"), "write `MeanSquaredError`, and `metrics: [RootMeanSquaredError]`"),
        **dict.fromkeys(("smoothl1",), "write `Huber`"),
        **dict.fromkeys(("focal",), "write `BinaryFocalCrossentropy` or `CategoricalFocalCrossentropy`"),
        **dict.fromkeys(("kl", "kldiv"), "write `KLDivergence`"),
        **dict.fromkeys(("jaccard", "diceloss", "jaccardloss"), "write `Dice`, or `Tversky`"),
    },
)
"""Every loss by name; Keras's snake-case and short names are also accepted."""

UNSUPPORTED = {"Loss": "the base class"}
"""Keras's losses that are not available in specs, each with the reason."""

OURS = {
    "CIoU": "the standard loss of boxes in one-stage detectors",
    "ContrastivePairs": "the standard loss of distances in Siamese networks",
    "GaussianNegativeLogLikelihood": "predicts a mean and its uncertainty",
    "GIoU": "a loss of boxes with a gradient where they are disjoint",
    "IoU": "the measure by which detectors are evaluated, as a loss",
    "NegativeBinomial": "the likelihood of overdispersed counts",
    "Quantile": "the standard loss of probabilistic forecasts",
    "Triplet": "the standard loss of embeddings in metric learning",
    "Value": "the output itself is the loss, as in a variational autoencoder's divergence",
}
"""Losses that Keras does not have, each with the reason."""
