"""Regression losses."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.scalars import PositiveNumber, WholeNumber
from nnspec.training.catalogue.losses.base import Loss
from nnspec.training.catalogue.targets import TargetKind


class MeanSquaredError(Loss):
    """Mean squared error."""


class MeanAbsoluteError(Loss):
    """Mean absolute error."""


class MeanAbsolutePercentageError(Loss):
    """Mean absolute error as a percentage of the target; unbounded for targets near 0."""


class MeanSquaredLogarithmicError(Loss):
    """Mean squared error of ``log(1 + x)``, for non-negative numbers."""

    target: ClassVar[TargetKind | None] = "non_negative"


class Huber(Loss):
    """Quadratic for small errors, linear for large ones (Huber 1964)."""

    delta: PositiveNumber = Field(1.0, description="The error above which the loss is linear.")


class LogCosh(Loss):
    """``log(cosh(x))`` of the error: nearly quadratic for small errors, nearly linear for large ones."""


class Poisson(Loss):
    """Negative log-likelihood of counts with a Poisson distribution; the output is its mean."""

    target: ClassVar[TargetKind | None] = "non_negative"


class CosineSimilarity(Loss):
    """Negative cosine similarity of output and target."""

    axis: WholeNumber = Field(-1, description="The axis of the vectors.")
