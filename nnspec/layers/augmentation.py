"""Base class of image augmentation layers, which act only in training and are not exported, and layers that mix examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict

from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, single
from nnspec.layers.checks import require_axes
from nnspec.layers.scalars import Number, PositiveNumber, WholeNumber
from nnspec.layers.unsupported import DATA_FORMAT
from nnspec.types import TensorType

Share = Annotated[float, Strict(), Field(ge=0, le=1)]
_Signed = Annotated[float, Strict(), Field(ge=-1, le=1)]

Shares = Share | tuple[Share, Share]
"""A number from 0 to 1, or a range to draw it from."""

Signed = _Signed | tuple[_Signed, _Signed]
"""A number from −1 to 1, or a range to draw it from."""

ValueRange = Annotated[
    tuple[Number, Number],
    Field(description="The range of the image's values: [0, 1] if they were rescaled."),
]
"""The range of the image's values."""

FillMode = Annotated[
    Literal["reflect", "wrap", "constant", "nearest"], Field(description="How to fill pixels outside the image.")
]
Interpolation = Annotated[Literal["nearest", "bilinear"], Field(description="The interpolation method.")]


class Augmentation(Layer):
    """Base class of random image augmentation, active only in training."""

    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, "data_format": DATA_FORMAT}
    is_random: ClassVar[bool] = True

    moves_pixels: ClassVar[bool] = False
    """Whether it moves what an image shows, so that its boxes must move too."""

    moves_boxes: ClassVar[bool] = True
    """Whether the boxes of its images can follow."""

    channels: ClassVar[tuple[int, ...]] = ()
    """The accepted numbers of channels; empty: any."""

    seed: WholeNumber | None = Field(None, description="Seed of the random draws; null: derived from the seed of the build.")

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_image(self, x)
        if self.channels and x.shape[-1] not in self.channels:
            wanted = " or ".join(map(str, self.channels))
            raise LayerError(
                f"{type(self).__name__} takes images with {wanted} channels (3 for RGB), got {x}",
                help="remove it, or use an augmentation that does not change colors",
                port="x",
            )
        return single(x.shape)


class Geometric(Augmentation):
    """Base class of augmentations that move pixels."""

    moves_pixels: ClassVar[bool] = True


def require_image(layer: Layer, x: TensorType) -> None:
    """Check that an input is a floating-point image.

    Raises:
        LayerError: If it is not.
    """
    require_axes(layer, x, "height", "width", "channels")
    if "float" not in x.dtype:
        raise LayerError(
            f"{type(layer).__name__} takes floats, got {x.dtype}",
            help="declare the input with `dtype: float32`, or put `Rescaling: 1.0` before it",
            port="x",
        )


class Mixing(Augmentation):
    """Base class of augmentations that mix examples."""

    moves_pixels: ClassVar[bool] = True
    mixes_targets: ClassVar[bool] = True
    """Whether targets are mixed as a whole, by the share of each image."""


class CutMix(Mixing):
    """Pastes a patch of another image into each image and mixes the targets by area (Yun et al. 2019)."""

    main_argument: ClassVar[str | None] = "factor"
    moves_boxes: ClassVar[bool] = False

    factor: Shares = Field(1.0, description="How much the size of the patch varies; or [low, high] to draw from.")


class MixUp(Mixing):
    """Mixes each image and its targets with another example (Zhang et al. 2018)."""

    main_argument: ClassVar[str | None] = "alpha"

    alpha: PositiveNumber = Field(
        0.2, description="The parameter of the Beta distribution; small values leave most images almost unchanged."
    )
