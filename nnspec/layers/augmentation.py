"""What random changes of pictures share: they act in training alone, and nothing of them is exported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict

from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, single
from nnspec.layers.checks import require_axes
from nnspec.layers.scalars import Number, WholeNumber
from nnspec.layers.unsupported import DATA_FORMAT
from nnspec.types import TensorType

__all__ = ["Augmentation", "FillMode", "Interpolation", "Share", "Shares", "Signed", "ValueRange", "require_picture"]

Share = Annotated[float, Strict(), Field(ge=0, le=1)]
_Signed = Annotated[float, Strict(), Field(ge=-1, le=1)]

Shares = Share | tuple[Share, Share]
"""A number from 0 to 1, or the two between which it is drawn."""

Signed = _Signed | tuple[_Signed, _Signed]
"""A number from −1 to 1, or the two between which it is drawn."""

ValueRange = Annotated[
    tuple[Number, Number],
    Field(description="The least and the largest value of a picture: [0, 1] where its values were rescaled."),
]
"""What the values of a picture lie between."""

FillMode = Annotated[
    Literal["reflect", "wrap", "constant", "nearest"], Field(description="What lies beyond the border of a picture.")
]
Interpolation = Annotated[Literal["nearest", "bilinear"], Field(description="What stands between positions.")]


class Augmentation(Layer):
    """A random change of pictures, in training alone."""

    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, "data_format": DATA_FORMAT}
    is_random: ClassVar[bool] = True

    channels: ClassVar[tuple[int, ...]] = ()
    """How many channels it takes; none where it takes any number."""

    seed: WholeNumber | None = Field(None, description="Makes the draws repeatable; null: from the seed of the whole build.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_picture(self, x)
        if self.channels and x.shape[-1] not in self.channels:
            wanted = " or ".join(map(str, self.channels))
            raise LayerError(
                f"{type(self).__name__} takes pictures of {wanted} channels (red, green and blue), got {x}",
                help="take it away, or choose one that has nothing to do with colours",
                port="x",
            )
        return single(x.shape)


def require_picture(layer: Layer, x: TensorType) -> None:
    """Refuses what is no picture of floats.

    Raises:
        LayerError: Where it is none.
    """
    require_axes(layer, x, "height", "width", "channels")
    if "float" not in x.dtype:
        raise LayerError(
            f"{type(layer).__name__} calculates with floats, got {x.dtype}",
            help="declare the input with `dtype: float32`, or put `Rescaling: 1.0` before it",
            port="x",
        )
