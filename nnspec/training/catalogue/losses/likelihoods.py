"""Negative log-likelihoods of distributions whose parameters are the output, and quantile losses."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.training.catalogue.losses.base import Loss
from nnspec.training.catalogue.targets import TargetKind
from nnspec.types import Dim, TensorType


class _OfHalves(Loss):
    """A loss of two parameters for each target: the first and the second half of the last axis of the output."""

    def misfit(self, output: TensorType) -> tuple[str, str] | None:
        size = output.shape[-1] if output.rank else 1
        if isinstance(size, int) and size % 2 == 0:
            return None
        return "needs two values for each target along the last axis", "use two units for each target"

    def target_shape(self, output: TensorType) -> tuple[int | Dim, ...] | None:
        size = output.shape[-1] if output.rank else 2
        return (*output.shape[:-1], size // 2)


class GaussianNegativeLogLikelihood(_OfHalves):
    """Negative log-likelihood of a normal distribution for each target (Nix and Weigend 1994).

    The last axis of the output has the means first, then as many log variances. It needs no activation.
    """


class NegativeBinomial(_OfHalves):
    """Negative log-likelihood of counts with a negative binomial distribution (Salinas et al. 2020).

    The last axis of the output has the means first, then as many dispersions, all positive: use `softplus`. The variance is
    `mean + dispersion · mean²`.
    """

    target: ClassVar[TargetKind | None] = "non_negative"


_Quantile = Annotated[float, Strict(), Field(gt=0, lt=1)]


class Quantile(Loss):
    """Quantile (pinball) loss (Koenker and Bassett 1978); the last axis of the output has one value for each quantile."""

    quantiles: list[_Quantile] = Field(
        min_length=1, description="The quantiles to predict, such as `[0.1, 0.5, 0.9]`.", examples=[[0.1, 0.5, 0.9]]
    )

    def misfit(self, output: TensorType) -> tuple[str, str] | None:
        size = output.shape[-1] if output.rank else 1
        if size == len(self.quantiles):
            return None
        return f"needs {len(self.quantiles)} values along the last axis", f"use {len(self.quantiles)} units"

    def target_shape(self, output: TensorType) -> tuple[int | Dim, ...] | None:
        return output.shape[:-1]
