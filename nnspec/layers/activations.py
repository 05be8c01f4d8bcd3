"""Activation functions as layers."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, Strict

from nnspec.layers.activation_names import OVER_LAST_AXIS, ActivationName
from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, single
from nnspec.layers.checks import require_float

__all__ = ["Activation", "ReLU"]

_NotNegative = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]


class Activation(Layer):
    """An activation function by name, with its default parameters."""

    main_argument: ClassVar[str | None] = "activation"
    passes_mask: ClassVar[bool] = True

    activation: ActivationName = Field(description="The function.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_float(self, x)
        if not x.rank and self.activation in OVER_LAST_AXIS:
            raise LayerError(
                f"`{self.activation}` needs an axis to normalise over, got a scalar ()",
                help="declare the input's shape as `[N]`",
                argument="activation",
            )
        return single(x.shape)


class ReLU(Layer):
    """The rectified linear unit: x from the threshold to the maximum, below it a slope (Nair and Hinton 2010)."""

    passes_mask: ClassVar[bool] = True

    max_value: _NotNegative | None = Field(None, description="The largest output; null: none.")
    negative_slope: _NotNegative = Field(0.0, description="The slope below the threshold.")
    threshold: _NotNegative = Field(0.0, description="The smallest input that is passed.")

    def infer(self, inputs: Inputs) -> Outputs:
        require_float(self, inputs["x"])
        return single(inputs["x"].shape)
