"""Sampling from normal distributions, as in variational autoencoders."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, Ports, single
from nnspec.layers.checks import require_float
from nnspec.layers.merge import common_size
from nnspec.layers.scalars import Flag, WholeNumber
from nnspec.types import Dim, TensorType

DIVERGENCE = "divergence"
"""The name of the output with the divergence."""


class Sampling(Layer):
    """Samples from normal distributions: ``mean + exp(log_variance / 2) · noise`` (Kingma and Welling 2014).

    It samples only in training; at inference and in the exported graph it returns the mean. With ``return_divergence`` it also
    returns the Kullback–Leibler divergence from the standard normal distribution (appendix B), in nats per example:
    ``Σ (mean² + exp(log_variance) − 1 − log_variance) / 2``. Minimize it with the loss `Value`.
    """

    ports: ClassVar[Ports] = Ports(("mean", "log_variance"))
    is_random: ClassVar[bool] = True

    return_divergence: Flag = Field(
        False, description=f"Whether the divergence from the standard normal distribution is also an output, `{DIVERGENCE}`."
    )
    seed: WholeNumber | None = Field(None, description="Seed of the random draws; null: derived from the seed of the build.")

    def infer(self, inputs: Inputs) -> Outputs:
        mean, variance = inputs["mean"], inputs["log_variance"]
        require_float(self, mean, "mean")
        require_float(self, variance, "log_variance")
        sizes = [common_size(a, b) for a, b in zip(mean.shape, variance.shape, strict=False)]
        if mean.rank != variance.rank or None in sizes:
            raise LayerError(
                f"mean and log variance must have the same shape, got {mean} and {variance}",
                help="compute both with `Dense` layers of the same `units`",
                port="log_variance",
            )
        divergence = {DIVERGENCE: TensorType(())} if self.return_divergence else {}
        return single(mean.shape) | divergence

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        return tuple(zip(inputs["mean"].shape, inputs["log_variance"].shape, strict=True))
