"""Rescaling by a fixed factor and offset."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, single
from nnspec.layers.scalars import Number

__all__ = ["Rescaling"]


class Rescaling(Layer):
    """Computes ``x · scale + offset`` as floats; for pixels write ``Rescaling: 0.00392156862745098`` (1/255)."""

    main_argument: ClassVar[str | None] = "scale"
    passes_mask: ClassVar[bool] = True

    scale: Number | list[Number] = Field(description="The factor, or one per channel.")
    offset: Number | list[Number] = Field(0.0, description="The offset, or one per channel.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        for argument, value in (("scale", self.scale), ("offset", self.offset)):
            if isinstance(value, list) and (not x.rank or x.shape[-1] != len(value)):
                raise LayerError(
                    f"`{argument}` has {len(value)} values, but the last axis of {x} has a different size",
                    help="write one value per channel, or a single value",
                    argument=argument,
                )
        return single(x.shape)
