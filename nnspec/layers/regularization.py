"""Layers that act in training alone."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, single
from nnspec.layers.checks import require_float
from nnspec.layers.scalars import Fraction, PositiveInt, WholeNumber
from nnspec.types import same_size

__all__ = ["Dropout"]


class Dropout(Layer):
    """Sets a share of its input to 0 and scales up the rest, in training alone (Srivastava et al. 2014)."""

    main_argument: ClassVar[str | None] = "rate"
    passes_mask: ClassVar[bool] = True
    is_random: ClassVar[bool] = True

    rate: Fraction = Field(description="The share that is dropped, 0 to 1.")
    noise_shape: list[PositiveInt | None] | None = Field(
        None, description="Sizes of the drop pattern, the batch axis first; 1 shares it along an axis, null: the input's."
    )
    seed: WholeNumber | None = Field(None, description="Makes the pattern repeatable; null: from the seed of the whole build.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_float(self, x)
        self._check_noise_shape(inputs)
        return single(x.shape)

    def _check_noise_shape(self, inputs: Inputs) -> None:
        if self.noise_shape is None:
            return
        x = inputs["x"]
        fits = len(self.noise_shape) == x.rank + 1 and all(
            noise in (1, None) or same_size(noise, size) is not False
            for noise, size in zip(self.noise_shape[1:], x.shape, strict=True)
        )
        if not fits:
            raise LayerError(
                f"`noise_shape` {self.noise_shape} does not fit (batch, {str(x).strip('(),')})",
                help=f"give {x.rank + 1} sizes, the batch axis first: each the input's, 1 or null",
                argument="noise_shape",
            )
