"""What training makes small: Keras's losses."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.layers.scalars import Flag, Fraction, PositiveNumber, WholeNumber
from nnspec.training.targets import Compares, Expected, TargetKind
from nnspec.types import Family

__all__ = ["LEFT_OUT", "LOSSES", "OURS", "Loss"]

_SPELLINGS = {
    "BinaryCrossentropy": ("binary_crossentropy", "bce", "BCE"),
    "BinaryFocalCrossentropy": ("binary_focal_crossentropy",),
    "CTC": ("ctc",),
    "CategoricalCrossentropy": ("categorical_crossentropy",),
    "CategoricalFocalCrossentropy": ("categorical_focal_crossentropy",),
    "CategoricalGeneralizedCrossEntropy": ("categorical_generalized_cross_entropy",),
    "CategoricalHinge": ("categorical_hinge",),
    "Circle": ("circle",),
    "CosineSimilarity": ("cosine_similarity",),
    "Dice": ("dice",),
    "Hinge": ("hinge",),
    "Huber": ("huber",),
    "KLDivergence": ("kl_divergence", "kld", "KLD"),
    "LogCosh": ("log_cosh",),
    "MeanAbsoluteError": ("mean_absolute_error", "mae", "MAE"),
    "MeanAbsolutePercentageError": ("mean_absolute_percentage_error", "mape", "MAPE"),
    "MeanSquaredError": ("mean_squared_error", "mse", "MSE"),
    "MeanSquaredLogarithmicError": ("mean_squared_logarithmic_error", "msle", "MSLE"),
    "Poisson": ("poisson",),
    "SparseCategoricalCrossentropy": ("sparse_categorical_crossentropy",),
    "SquaredHinge": ("squared_hinge",),
    "Tversky": ("tversky",),
    "Value": (),
}

LOSSES = Family(
    kind="loss",
    modules=dict.fromkeys(_SPELLINGS, __name__),
    aliases={
        "BCELoss": "BinaryCrossentropy",
        "BCEWithLogitsLoss": "BinaryCrossentropy",
        "CTCLoss": "CTC",
        "CrossEntropyLoss": "SparseCategoricalCrossentropy",
        "FocalLoss": "CategoricalFocalCrossentropy",
        "HuberLoss": "Huber",
        "KLDivLoss": "KLDivergence",
        "L1Loss": "MeanAbsoluteError",
        "MSELoss": "MeanSquaredError",
        "NLLLoss": "SparseCategoricalCrossentropy",
        "PoissonNLLLoss": "Poisson",
        "SmoothL1Loss": "Huber",
    },
    spellings={spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings},
)
"""Every loss by name; Keras's snake case and short names are accepted too."""

LEFT_OUT = {"Loss": "the base class"}
"""Keras's losses that a spec cannot name, each with the reason."""

OURS = {"Value": "the output itself is the loss, as in a variational autoencoder's divergence"}
"""Losses that Keras does not have, each with the reason."""

_Axis = Annotated[WholeNumber, Field(description="The axis the classes stand along.")]
_Logits = Annotated[Flag, Field(description="Whether the output is logits, not probabilities.")]
_Smoothing = Annotated[Fraction, Field(description="What is taken from the target's 1 and spread over the classes.")]
_Focus = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False, description="How much less easy examples count.")]
_Share = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]


class Loss(Compares):
    """A number for each example that says how far the output is from the target; training makes its mean small."""


class Value(Loss):
    """The output itself, averaged, is the loss; it needs no target."""

    target: ClassVar[TargetKind | None] = None


# --- classes ----------------------------------------------------------------------------------------------------------


class SparseCategoricalCrossentropy(Loss):
    """Cross-entropy with one class of several; the target is the class's index."""

    target: ClassVar[TargetKind | None] = "class"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("CategoricalCrossentropy", "BinaryCrossentropy")

    from_logits: _Logits = False
    ignore_class: WholeNumber | None = Field(None, description="A target that is left out, often −1 or 255.")
    axis: _Axis = -1


class CategoricalGeneralizedCrossEntropy(Loss):
    """Between cross-entropy and the absolute error, for labels with errors in them (Zhang and Sabuncu 2018)."""

    target: ClassVar[TargetKind | None] = "class"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("CategoricalCrossentropy", "BinaryCrossentropy")

    q: Annotated[float, Strict(), Field(gt=0, lt=1)] = Field(
        0.5, description="Towards 0 cross-entropy, towards 1 the absolute error."
    )


class CategoricalCrossentropy(Loss):
    """Cross-entropy with one class of several; the target is one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy", "BinaryCrossentropy")

    from_logits: _Logits = False
    label_smoothing: _Smoothing = 0.0
    axis: _Axis = -1


class CategoricalFocalCrossentropy(Loss):
    """Cross-entropy in which easy examples count less (Lin et al. 2017); the target is one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy", "BinaryFocalCrossentropy")

    alpha: _Share | list[_Share] = Field(0.25, description="The weight of the classes: one for all, or a list.")
    gamma: _Focus = 2.0
    from_logits: _Logits = False
    label_smoothing: _Smoothing = 0.0
    axis: _Axis = -1


class CategoricalHinge(Loss):
    """The margin between the right class and the best of the others; the target is one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy", "Hinge")


class KLDivergence(Loss):
    """The Kullback–Leibler divergence of the output from the target, both distributions over the last axis."""

    target: ClassVar[TargetKind | None] = "distribution"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy", "BinaryCrossentropy")


# --- yes or no --------------------------------------------------------------------------------------------------------


class BinaryCrossentropy(Loss):
    """Cross-entropy of each element with yes or no, 1 or 0."""

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy",)

    from_logits: _Logits = False
    label_smoothing: _Smoothing = 0.0
    axis: WholeNumber = Field(-1, description="The axis that is averaged.")


class BinaryFocalCrossentropy(Loss):
    """Cross-entropy of each element with yes or no, in which easy examples count less (Lin et al. 2017)."""

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"
    instead: ClassVar[tuple[str, ...]] = ("CategoricalFocalCrossentropy",)

    apply_class_balancing: Flag = Field(False, description="Whether 1 is weighted by `alpha` and 0 by `1 - alpha`.")
    alpha: Fraction = Field(0.25, description="The weight of 1.")
    gamma: _Focus = 2.0
    from_logits: _Logits = False
    label_smoothing: _Smoothing = 0.0
    axis: WholeNumber = Field(-1, description="The axis that is averaged.")


class Hinge(Loss):
    """How far the output is from the right side of a margin; the target is −1 or 1, or 0 or 1."""

    target: ClassVar[TargetKind | None] = "sign"
    instead: ClassVar[tuple[str, ...]] = ("CategoricalHinge",)


class SquaredHinge(Loss):
    """The square of the hinge loss; the target is −1 or 1, or 0 or 1."""

    target: ClassVar[TargetKind | None] = "sign"
    instead: ClassVar[tuple[str, ...]] = ("CategoricalHinge",)


class Dice(Loss):
    """One less the overlap of the output and a mask (Milletari et al. 2016), over the whole batch by default."""

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"

    axis: WholeNumber | list[WholeNumber] | None = Field(
        None, description="The axes summed over; null for all, the batch included."
    )


class Tversky(Loss):
    """Dice with false positives and false negatives weighted apart (Salehi et al. 2017)."""

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"

    alpha: _Share = Field(0.5, description="The weight of false positives.")
    beta: _Share = Field(0.5, description="The weight of false negatives.")
    axis: WholeNumber | list[WholeNumber] | None = Field(
        None, description="The axes summed over; null for all, the batch included."
    )


# --- numbers ----------------------------------------------------------------------------------------------------------


class MeanSquaredError(Loss):
    """The mean of the squared differences."""


class MeanAbsoluteError(Loss):
    """The mean of the absolute differences."""


class MeanAbsolutePercentageError(Loss):
    """The mean of the absolute differences, as a percentage of the target; unbounded near a target of 0."""


class MeanSquaredLogarithmicError(Loss):
    """The mean of the squared differences of ``log(1 + x)``, for numbers of at least 0."""

    target: ClassVar[TargetKind | None] = "non_negative"


class Huber(Loss):
    """Squared for small differences, straight for large ones (Huber 1964)."""

    delta: PositiveNumber = Field(1.0, description="The difference from which it is straight.")


class LogCosh(Loss):
    """``log(cosh(x))`` of the differences: nearly squared for small ones, nearly straight for large ones."""


class Poisson(Loss):
    """The likelihood of counts, the output being their expected number."""

    target: ClassVar[TargetKind | None] = "non_negative"


class CosineSimilarity(Loss):
    """Minus the cosine of the angle between output and target."""

    axis: WholeNumber = Field(-1, description="The axis the vectors stand along.")


# --- whole sequences and batches --------------------------------------------------------------------------------------


class CTC(Loss):
    """Connectionist temporal classification (Graves et al. 2006): a sequence of labels without their places in time.

    The output is logits, time × classes; class 0 is the blank, and fills up shorter targets.
    """

    target: ClassVar[TargetKind | None] = "sequence"
    expects: ClassVar[Expected] = "logits"

    def least_last_axis(self) -> int:
        return 2


class Circle(Loss):
    """Draws embeddings of one label together and pushes others apart (Sun et al. 2020); the output is a vector of length 1."""

    target: ClassVar[TargetKind | None] = "label"

    gamma: PositiveNumber = Field(80.0, description="The scale.")
    margin: PositiveNumber = Field(0.4, description="The margin between similarities within and between labels.")
    remove_diagonal: Flag = Field(True, description="Whether an example is not compared with itself.")

    def least_last_axis(self) -> int:
        return 2
