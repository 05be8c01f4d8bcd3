"""Adaptive poolings: as many windows as there are to be outputs, wherever the input's size puts them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, ClassVar

from pydantic import Field, ValidationInfo, field_validator

from nnspec.layers.arguments import Sizes, per_axis
from nnspec.layers.base import EVERYTHING, Inputs, Layer, Outputs, Window, single
from nnspec.layers.checks import require_axes, require_float
from nnspec.layers.interfaces import AveragesPositions
from nnspec.layers.sliding import SPATIAL_AXES
from nnspec.layers.unsupported import DATA_FORMAT

__all__ = [
    "AdaptiveAveragePooling",
    "AdaptiveAveragePooling1D",
    "AdaptiveAveragePooling2D",
    "AdaptiveAveragePooling3D",
    "AdaptiveMaxPooling",
    "AdaptiveMaxPooling1D",
    "AdaptiveMaxPooling2D",
    "AdaptiveMaxPooling3D",
    "AdaptivePooling",
]


class AdaptivePooling(Layer):
    """What all adaptive poolings share; one is made by naming its axes.

    Of n positions, output p of o sees those from floor(p · n / o) up to, but not with, ceil((p + 1) · n / o): the windows are
    equal where o divides n, and otherwise overlap by one position here and there (as in Keras and PyTorch). Free sizes are
    welcome: the output has the same size whatever comes in.
    """

    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, "data_format": DATA_FORMAT}
    main_argument: ClassVar[str | None] = "output_size"
    axes: ClassVar[tuple[str, ...]]

    output_size: Sizes = Field(description="Positions that come out, along each spatial axis.")

    @field_validator("output_size", mode="before")
    @classmethod
    def _for_each_axis(cls, value: Any, info: ValidationInfo) -> Any:
        return per_axis(value, len(cls.axes), str(info.field_name))

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_axes(self, x, *self.axes, "channels")
        require_float(self, x)
        return single((*self.output_size, x.shape[-1]))

    def receptive_field(self, inputs: Inputs) -> Window | None:
        sizes = [size for size in inputs["x"].shape[:-1] if isinstance(size, int)]
        if len(sizes) < len(self.axes) or set(self.output_size) == {1}:
            return EVERYTHING
        steps = tuple(Fraction(size, count) for size, count in zip(sizes, self.output_size, strict=True))
        # A window reaches out to whole positions on both sides; how far at most, the step's denominator says.
        reach = tuple(1 - Fraction(1, step.denominator) for step in steps)
        return Window(tuple(s + 2 * r for s, r in zip(steps, reach, strict=True)), steps, tuple(-r for r in reach))


class AdaptiveAveragePooling(AdaptivePooling, AveragesPositions):
    """Adaptive poolings that compute the mean."""

    @property
    def averages_positions(self) -> bool:
        return set(self.output_size) == {1}


class AdaptiveMaxPooling(AdaptivePooling):
    """The adaptive poolings that take the largest value."""


class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """The mean of each of so many windows over time."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[1]


class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """The mean of each of so many windows of a picture (He et al. 2014)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]


class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """The mean of each of so many windows of a volume."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[3]


class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """The largest value of each of so many windows over time."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[1]


class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """The largest value of each of so many windows of a picture (He et al. 2014)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]


class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """The largest value of each of so many windows of a volume."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[3]
