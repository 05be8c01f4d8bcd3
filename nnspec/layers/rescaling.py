"""A fixed factor and offset."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, single
from nnspec.layers.scalars import Number

__all__ = ["Rescaling"]


class Rescaling(Layer):
    """``x · scale + offset``; whole numbers become floats, as for pixels: ``Rescaling: 0.00392156862745098``."""

    main_argument: ClassVar[str | None] = "scale"
    passes_mask: ClassVar[bool] = True

    scale: Number | list[Number] = Field(description="The factor, or one for each channel.")
    offset: Number | list[Number] = Field(0.0, description="What is added, or a number for each channel.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        for argument, value in (("scale", self.scale), ("offset", self.offset)):
            if isinstance(value, list) and (not x.rank or x.shape[-1] != len(value)):
                raise LayerError(
                    f"`{argument}` has {len(value)} numbers, and the last axis of {x} another size",
                    help="give one for each channel, or one number for all",
                    argument=argument,
                )
        return single(x.shape)
