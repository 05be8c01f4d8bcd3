"""Layers that act only in training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, single
from nnspec.layers.checks import require_axes, require_float
from nnspec.layers.interfaces import ConvolvedOver, PassesOn
from nnspec.layers.scalars import Fraction, NotNegative, PositiveInt, WholeNumber
from nnspec.layers.sliding import SPATIAL_AXES
from nnspec.layers.unsupported import DATA_FORMAT
from nnspec.types import Dim, same_size


class InTrainingAlone(PassesOn):
    """Base class of layers that act only in training."""

    passes_mask: ClassVar[bool] = True

    def infer(self, inputs: Inputs) -> Outputs:
        require_float(self, inputs["x"])
        return single(inputs["x"].shape)


class _Random(InTrainingAlone):
    """Base class of layers that change their input randomly."""

    is_random: ClassVar[bool] = True

    seed: WholeNumber | None = Field(None, description="Seed of the drop pattern; null: derived from the seed of the build.")


class _Shaped(_Random, ConvolvedOver):
    """Base class of dropout layers with a noise shape."""

    main_argument: ClassVar[str | None] = "rate"

    rate: Fraction = Field(description="The fraction that is dropped, 0 to 1.")
    noise_shape: list[PositiveInt | None] | None = Field(
        None,
        description="Shape of the drop pattern, including the batch axis; 1 shares it along an axis, null uses the "
        "input's size.",
    )

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_float(self, x)
        self._check_noise_shape(inputs)
        return single(x.shape)

    def over_positions(self, sizes: tuple[int, ...]) -> Layer | None:
        return self if self.noise_shape is None else None

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
                help=f"write {x.rank + 1} sizes, starting with the batch axis; each is the input's size, 1 or null",
                argument="noise_shape",
            )

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        pairs = zip((self.noise_shape or [])[1:], inputs["x"].shape, strict=False)
        return tuple((size, noise) for noise, size in pairs if noise not in (1, None))


class Dropout(_Shaped):
    """Sets a fraction of its input to 0 and scales up the rest, only in training (Srivastava et al. 2014)."""


class AlphaDropout(_Shaped):
    """Dropout that preserves mean and variance after `selu` (Klambauer et al. 2017)."""


class SpatialDropout(_Random):
    """Base class of dropout layers that drop whole channels."""

    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, "data_format": DATA_FORMAT}
    main_argument: ClassVar[str | None] = "rate"
    axes: ClassVar[tuple[str, ...]]

    rate: Fraction = Field(description="The fraction of channels that is dropped, 0 to 1.")

    def infer(self, inputs: Inputs) -> Outputs:
        require_axes(self, inputs["x"], *self.axes, "channels")
        return super().infer(inputs)


class SpatialDropout1D(SpatialDropout):
    """Drops whole channels of a sequence, only in training (Tompson et al. 2015)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[1]


class SpatialDropout2D(SpatialDropout):
    """Drops whole channels of an image, only in training (Tompson et al. 2015)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]


class SpatialDropout3D(SpatialDropout):
    """Drops whole channels of a volume, only in training (Tompson et al. 2015)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[3]


class GaussianDropout(_Random):
    """Multiplies by noise around 1, only in training (Srivastava et al. 2014)."""

    main_argument: ClassVar[str | None] = "rate"

    rate: Fraction = Field(description="The standard deviation of the noise is √(rate / (1 − rate)).")


class GaussianNoise(_Random):
    """Adds noise around 0, only in training."""

    main_argument: ClassVar[str | None] = "stddev"

    stddev: Fraction = Field(description="The standard deviation of the noise, 0 to 1 as in Keras.")


class ActivityRegularization(InTrainingAlone):
    """Adds a penalty on its input to the loss, and returns the input unchanged."""

    l1: NotNegative = Field(0.0, description="The factor on the sum of absolute values.")
    l2: NotNegative = Field(0.0, description="The factor on the sum of squares.")
