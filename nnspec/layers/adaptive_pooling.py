"""Adaptive pooling layers: the windows are chosen to produce a given output size."""

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


class AdaptivePooling(Layer):
    """Base class of adaptive pooling layers.

    For n input positions and o outputs, output p covers the positions from floor(p · n / o) to ceil((p + 1) · n / o) − 1. The
    windows have equal sizes if o divides n; otherwise some of them overlap by one position (as in Keras and PyTorch). The
    input may have free sizes: the output size does not depend on it.
    """

    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, "data_format": DATA_FORMAT}
    main_argument: ClassVar[str | None] = "output_size"
    axes: ClassVar[tuple[str, ...]]

    output_size: Sizes = Field(description="Output size along each spatial axis.")

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
        # A window extends to whole positions on both sides, by at most 1 − 1 / the denominator of the step.
        reach = tuple(1 - Fraction(1, step.denominator) for step in steps)
        return Window(tuple(s + 2 * r for s, r in zip(steps, reach, strict=True)), steps, tuple(-r for r in reach))


class AdaptiveAveragePooling(AdaptivePooling, AveragesPositions):
    """Base class of adaptive average pooling layers."""

    @property
    def averages_positions(self) -> bool:
        return set(self.output_size) == {1}


class AdaptiveMaxPooling(AdaptivePooling):
    """Base class of adaptive max pooling layers."""


class AdaptiveAveragePooling1D(AdaptiveAveragePooling):
    """Average pooling over time to a given output size."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[1]


class AdaptiveAveragePooling2D(AdaptiveAveragePooling):
    """Average pooling of images to a given output size (He et al. 2014)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]


class AdaptiveAveragePooling3D(AdaptiveAveragePooling):
    """Average pooling of volumes to a given output size."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[3]


class AdaptiveMaxPooling1D(AdaptiveMaxPooling):
    """Max pooling over time to a given output size."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[1]


class AdaptiveMaxPooling2D(AdaptiveMaxPooling):
    """Max pooling of images to a given output size (He et al. 2014)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]


class AdaptiveMaxPooling3D(AdaptiveMaxPooling):
    """Max pooling of volumes to a given output size."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[3]
