"""Losses as metrics: cross-entropies, divergences, hinge losses. Targets, outputs and arguments are those of the loss."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.scalars import Fraction
from nnspec.training.catalogue.losses import binary, classes, regression
from nnspec.training.catalogue.losses.base import FromLogits
from nnspec.training.catalogue.metrics.base import Falling
from nnspec.training.catalogue.targets import Expected, TargetKind


class SparseCategoricalCrossentropy(Falling, classes.SparseCategoricalCrossentropy):
    """Cross-entropy over classes; targets are class indices."""


class CategoricalCrossentropy(Falling, classes.CategoricalCrossentropy):
    """Cross-entropy over classes; targets are one-hot."""


class BinaryCrossentropy(Falling):
    """Binary cross-entropy of each element; targets are 0 or 1."""

    target: ClassVar[TargetKind | None] = "probability"
    expects: ClassVar[Expected] = "probability"
    instead: ClassVar[tuple[str, ...]] = ("SparseCategoricalCrossentropy",)

    from_logits: FromLogits = False
    label_smoothing: Fraction = Field(0.0, description="The amount of label smoothing, from 0 to 1.")


class Perplexity(Falling):
    """Perplexity: the exponential of the mean cross-entropy of all positions."""

    target: ClassVar[TargetKind | None] = "class"
    expects: ClassVar[Expected] = "distribution"

    from_logits: FromLogits = False


class KLDivergence(Falling, classes.KLDivergence):
    """Kullback–Leibler divergence between target and output."""


class Poisson(Falling, regression.Poisson):
    """Negative log-likelihood of counts with a Poisson distribution; the output is its mean."""


class Hinge(Falling, binary.Hinge):
    """Hinge loss."""


class SquaredHinge(Falling, binary.SquaredHinge):
    """Squared hinge loss."""


class CategoricalHinge(Falling, classes.CategoricalHinge):
    """Hinge loss between the true class and the best other class; targets are one-hot."""
