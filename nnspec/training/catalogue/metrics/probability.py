"""Losses as metrics: cross-entropies, divergences, hinge losses."""

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
    """Cross-entropy over classes; targets are class indices."""

    target: ClassVar[TargetKind | None] = "class"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("CategoricalCrossentropy", "BinaryCrossentropy")

    from_logits: FromLogits = False
    ignore_class: WholeNumber | None = Field(None, description="A class index to ignore, often −1 or 255.")
    axis: ClassAxis = -1


class CategoricalCrossentropy(Falling):
    """Cross-entropy over classes; targets are one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
    expects: ClassVar[Expected] = "distribution"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy", "BinaryCrossentropy")

    from_logits: FromLogits = False
    label_smoothing: Fraction = Field(0.0, description="The amount of label smoothing, from 0 to 1.")
    axis: ClassAxis = -1


class BinaryCrossentropy(Falling):
    """Binary cross-entropy of each element; targets are 0 or 1."""

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy",)

    from_logits: FromLogits = False
    label_smoothing: Fraction = Field(0.0, description="The amount of label smoothing, from 0 to 1.")


class KLDivergence(Falling):
    """Kullback–Leibler divergence between target and output."""

    target: ClassVar[TargetKind | None] = "distribution"
    expects: ClassVar[Expected] = "distribution"


class Poisson(Falling):
    """Negative log-likelihood of counts with a Poisson distribution; the output is its mean."""

    target: ClassVar[TargetKind | None] = "non_negative"


class Hinge(Falling):
    """Hinge loss."""

    target: ClassVar[TargetKind | None] = "sign"


class SquaredHinge(Falling):
    """Squared hinge loss."""

    target: ClassVar[TargetKind | None] = "sign"


class CategoricalHinge(Falling):
    """Hinge loss between the true class and the best other class; targets are one-hot."""

    target: ClassVar[TargetKind | None] = "distribution"
