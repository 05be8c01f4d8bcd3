"""Losses of numbers."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.scalars import PositiveNumber, WholeNumber
from nnspec.training.batches.targets import TargetKind
from nnspec.training.catalogue.losses.base import Loss

__all__ = [
    "CosineSimilarity",
    "Huber",
    "LogCosh",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "Poisson",
]


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
