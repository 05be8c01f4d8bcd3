"""How well probabilities and margins fit: cross-entropies, divergences, hinges."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.scalars import Fraction, WholeNumber
from nnspec.training.batches.targets import Expected, TargetKind
from nnspec.training.catalogue.metrics.base import ClassAxis, Falling, FromLogits

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalHinge",
    "Hinge",
    "KLDivergence",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
]


class SparseCategoricalCrossentropy(Falling):
    """Cross-entropy with one class of several; the target is the class's index."""

    target: ClassVar[TargetKind | None] = "class"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("CategoricalCrossentropy", "BinaryCrossentropy")

    from_logits: FromLogits = False
    ignore_class: WholeNumber | None = Field(None, description="A target that is left out, often −1 or 255.")
    axis: ClassAxis = -1


class CategoricalCrossentropy(Falling):
    """Cross-entropy with one class of several; the target is one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy", "BinaryCrossentropy")

    from_logits: FromLogits = False
    label_smoothing: Fraction = Field(0.0, description="What is taken from the target's 1 and spread over the classes.")
    axis: ClassAxis = -1


class BinaryCrossentropy(Falling):
    """Cross-entropy of each element with yes or no, 1 or 0."""

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy",)

    from_logits: FromLogits = False
    label_smoothing: Fraction = Field(0.0, description="How far the target is moved towards 0.5.")


class KLDivergence(Falling):
    """The Kullback–Leibler divergence of the output from the target."""

    target: ClassVar[TargetKind | None] = "distribution"
    expects: ClassVar[Expected] = "distribution"


class Poisson(Falling):
    """The likelihood of counts, the output being their expected number."""

    target: ClassVar[TargetKind | None] = "non_negative"


class Hinge(Falling):
    """How far the output is from the right side of a margin."""

    target: ClassVar[TargetKind | None] = "sign"


class SquaredHinge(Falling):
    """The square of the hinge loss."""

    target: ClassVar[TargetKind | None] = "sign"


class CategoricalHinge(Falling):
    """The margin between the right class and the best of the others; the target is one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
