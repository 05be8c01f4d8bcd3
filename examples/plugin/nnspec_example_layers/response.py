"""Local response normalization: facts and a Keras layer alone. For ONNX the Keras layer is converted."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, field_validator

from nnspec.layers.arguments import Number, PositiveInt
from nnspec.layers.base import Inputs, Layer, Outputs, single
from nnspec.layers.checks import require_float

__all__ = ["LocalResponseNormalization"]


class LocalResponseNormalization(Layer):
    """``x / (k + alpha · Σ x²)^beta``, the sum over neighbouring channels (Krizhevsky et al. 2012, section 3.3)."""

    passes_mask: ClassVar[bool] = True

    size: PositiveInt = Field(5, description="Number of channels in a sum, odd; n in the paper.")
    k: Number = Field(2.0, description="Added to the sum.")
    alpha: Number = Field(1e-4, description="Factor of the sum.")
    beta: Number = Field(0.75, description="Exponent.")

    @field_validator("size")
    @classmethod
    def _has_a_middle(cls, size: int) -> int:
        if size % 2 == 0:
            raise ValueError("`size` is odd: as many channels on the one side as on the other")
        return size

    def infer(self, inputs: Inputs) -> Outputs:
        require_float(self, inputs["x"])
        return single(inputs["x"].shape)

    def to_keras(self, **arguments: Any) -> Any:
        """Keras's layer of the same arguments."""
        from nnspec_example_layers.in_keras import LocalResponseNormalization as InKeras

        return InKeras(**arguments)
