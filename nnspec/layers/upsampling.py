"""Upsampling layers."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, ClassVar

from pydantic import Field, ValidationInfo, field_validator

from nnspec.layers.arguments import Sizes, per_axis
from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, Window, single
from nnspec.layers.checks import require_axes, require_float
from nnspec.layers.resizing import Interpolation, sampled
from nnspec.layers.sliding import SPATIAL_AXES
from nnspec.layers.unsupported import DATA_FORMAT


class UpSampling(Layer):
    """Base class of upsampling layers."""

    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, "data_format": DATA_FORMAT}
    main_argument: ClassVar[str | None] = "size"
    axes: ClassVar[tuple[str, ...]]

    size: Sizes = Field(2, validate_default=True, description="Upsampling factor along each spatial axis.")

    @field_validator("size", mode="before")
    @classmethod
    def _for_each_axis(cls, value: Any, info: ValidationInfo) -> Any:
        return per_axis(value, len(cls.axes), str(info.field_name))

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_axes(self, x, *self.axes, "channels")
        require_float(self, x)
        return single((*(size * factor for size, factor in zip(x.shape[:-1], self.size, strict=True)), x.shape[-1]))

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """Output p is input ``floor(p / factor)``."""
        behind = tuple(Fraction(factor - 1, factor) for factor in self.size)
        return Window(tuple(1 + b for b in behind), self._steps, tuple(-b for b in behind))

    @property
    def _steps(self) -> tuple[Fraction, ...]:
        return tuple(Fraction(1, factor) for factor in self.size)


class UpSampling1D(UpSampling):
    """Repeats each time step."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[1]


class UpSampling2D(UpSampling):
    """Upsamples images by integer factors."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]

    interpolation: Interpolation = Field("nearest", description="The interpolation method.")

    def infer(self, inputs: Inputs) -> Outputs:
        outputs = super().infer(inputs)
        x = inputs["x"]
        if self.interpolation != "nearest" and not all(isinstance(size, int) for size in x.shape[:-1]):
            if self.interpolation != "bilinear":
                raise LayerError(
                    f"{self.interpolation} interpolation needs fixed sizes, got {x}",
                    help="write `interpolation: bilinear` or `nearest`, or declare the sizes as numbers under `inputs`",
                    argument="interpolation",
                )
            if any(factor & (factor - 1) for factor in self.size):
                # Others are rounded differently by each framework, by more the larger the image.
                raise LayerError(
                    f"bilinear interpolation of free sizes needs factors that are powers of 2, got {self.size}",
                    help="use a power of 2, write `interpolation: nearest`, or declare the sizes as numbers under `inputs`",
                    argument="size",
                )
        return outputs

    def receptive_field(self, inputs: Inputs) -> Window | None:
        if self.interpolation == "nearest":
            return super().receptive_field(inputs)
        return Window(*zip(*(sampled(1, factor, self.interpolation, False) for factor in self.size), strict=True))


class UpSampling3D(UpSampling):
    """Repeats each position of a volume."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[3]
