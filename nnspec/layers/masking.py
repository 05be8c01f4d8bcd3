"""Masking by value."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, single
from nnspec.layers.checks import require_float
from nnspec.layers.scalars import Number
from nnspec.types import Dim


class Masking(Layer):
    """Masks the steps whose features all equal a value: they are set to 0, and the output has a mask."""

    main_argument: ClassVar[str | None] = "mask_value"

    mask_value: Number = Field(0.0, description="The value.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_float(self, x)
        if x.rank < 2:
            raise LayerError(
                f"Masking takes (time, …, features), at least two axes, got {x}",
                help="put a `Reshape` before it to add a time axis",
                port="x",
            )
        return single(x.shape)

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        return inputs["x"].shape[:-1]
