"""Normalizations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, Flag, Fraction, WholeNumber
from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, single
from nnspec.layers.checks import known_size, require_float
from nnspec.types import Weight

__all__ = ["BatchNormalization"]

_RENORM = "batch renormalization is not in this version; leave it out"


class BatchNormalization(Layer):
    """Brings each channel to mean 0 and variance 1 (Ioffe and Szegedy 2015).

    In training by the batch's own statistics, otherwise by their moving averages.
    """

    unsupported: ClassVar[Mapping[str, str]] = {
        **Layer.unsupported,
        "renorm": _RENORM,
        "renorm_clipping": _RENORM,
        "renorm_momentum": _RENORM,
        "synchronized": "statistics are each device's own; leave it out",
    }
    passes_mask: ClassVar[bool] = True
    subtracts_mean: ClassVar[bool] = True

    axis: WholeNumber = Field(-1, description="The channels' axis, the batch axis counted as 0.")
    momentum: Fraction = Field(0.99, description="How much of the moving averages stays at each step.")
    epsilon: Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)] = Field(1e-3, description="Added to the variance.")
    center: Flag = Field(True, description="Whether an offset, beta, is learned.")
    scale: Flag = Field(True, description="Whether a factor, gamma, is learned.")
    beta_initializer: AnyInitializer = Field("zeros", validate_default=True, description="The offset at first.")
    gamma_initializer: AnyInitializer = Field("ones", validate_default=True, description="The factor at first.")
    moving_mean_initializer: AnyInitializer = Field("zeros", validate_default=True, description="The mean at first.")
    moving_variance_initializer: AnyInitializer = Field("ones", validate_default=True, description="The variance at first.")
    beta_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the offset.")
    gamma_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the factor.")
    beta_constraint: AnyConstraint | None = Field(None, description="What the offset is held to.")
    gamma_constraint: AnyConstraint | None = Field(None, description="What the factor is held to.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_float(self, x)
        known_size(self, x, self.channel_axis(x.rank))
        if x.mask is not None and len(x.mask) != x.rank - 1:
            raise LayerError(
                f"BatchNormalization takes a mask of one axis less than its input {x}, got one of {len(x.mask)} axes",
                help="put it where the mask and the input have the same leading axes",
                port="x",
            )
        return single(x.shape)

    def channel_axis(self, rank: int) -> int:
        """The channels' axis, the batch axis left out: 0 to ``rank − 1``.

        Raises:
            LayerError: Where the input has no such axis.
        """
        axis = self.axis - 1 if self.axis > 0 else self.axis + rank
        if self.axis == 0 or not 0 <= axis < rank:
            axes = "no axis but the batch" if not rank else f"axes 1 to {rank}, or −{rank} to −1"
            raise LayerError(
                f"the input has no axis {self.axis} to normalise: it has {axes}",
                help="leave `axis` out: the channels come last" if rank else "declare the input's shape as `[1]`",
                argument="axis",
            )
        return axis

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        x = inputs["x"]
        shape = (known_size(self, x, self.channel_axis(x.rank)),)
        gamma = (self.owns("gamma", shape),) if self.scale else ()
        beta = (self.owns("beta", shape),) if self.center else ()
        statistics = (
            self.owns("moving_mean", shape, trainable=False),
            self.owns("moving_variance", shape, trainable=False),
        )
        return gamma + beta + statistics
