"""Random draws as part of a network."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, Ports, single
from nnspec.layers.checks import require_float
from nnspec.layers.merge import common_size
from nnspec.layers.scalars import Flag, WholeNumber
from nnspec.types import Dim, TensorType

__all__ = ["DIVERGENCE", "Sampling"]

DIVERGENCE = "divergence"
"""The output that the distributions' divergence is."""


class Sampling(Layer):
    """A draw from normal distributions, ``mean + exp(log_variance / 2) · noise`` (Kingma and Welling 2014).

    It draws in training alone; otherwise, and in the exported graph, it gives the mean. With ``return_divergence`` it also
    gives how far the distributions are from the standard normal, which a variational autoencoder is trained to keep small:
    ``Σ (mean² + exp(log_variance) − 1 − log_variance) / 2``, their Kullback–Leibler divergence (appendix B), a number in nats
    for each example. The loss `Value` takes it as it is.
    """

    ports: ClassVar[Ports] = Ports(("mean", "log_variance"))
    is_random: ClassVar[bool] = True

    return_divergence: Flag = Field(
        False, description=f"Whether the divergence from the standard normal is an output too, `{DIVERGENCE}`."
    )
    seed: WholeNumber | None = Field(None, description="Makes the draws repeatable; null: from the seed of the whole build.")

    def infer(self, inputs: Inputs) -> Outputs:
        mean, variance = inputs["mean"], inputs["log_variance"]
        require_float(self, mean, "mean")
        require_float(self, variance, "log_variance")
        sizes = [common_size(a, b) for a, b in zip(mean.shape, variance.shape, strict=False)]
        if mean.rank != variance.rank or None in sizes:
            raise LayerError(
                f"a mean of {mean} has a log variance of {variance}",
                help="give both the same shape, as two `Dense` from one layer",
                port="log_variance",
            )
        divergence = {DIVERGENCE: TensorType(())} if self.return_divergence else {}
        return single(mean.shape) | divergence

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        return tuple(zip(inputs["mean"].shape, inputs["log_variance"].shape, strict=True))
