"""Depthwise and separable convolutions."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, PositiveInt
from nnspec.layers.base import Inputs, LayerError, Outputs, single
from nnspec.layers.checks import known_size
from nnspec.layers.padding import windows
from nnspec.layers.sliding import SPATIAL_AXES, Sliding
from nnspec.types import Dim, Weight, product


class PerChannel(Sliding):
    """Base class of depthwise and separable convolutions."""

    depth_multiplier: PositiveInt = Field(1, description="Number of depthwise output channels per input channel.")
    depthwise_initializer: AnyInitializer = Field(
        "glorot_uniform", validate_default=True, description="Initializer of the kernel."
    )
    depthwise_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the depthwise kernel.")
    depthwise_constraint: AnyConstraint | None = Field(None, description="Constraint on the depthwise kernel.")

    def spatial(self, inputs: Inputs) -> tuple[int | Dim, ...]:
        """Return the sizes of the output's spatial axes."""
        self.check_input(inputs)
        if len(set(self.strides)) > 1:
            raise LayerError(
                f"{type(self).__name__} needs equal strides along all axes, got {list(self.strides)}",
                help="write one number, or put a pooling layer with strides after it",
                argument="strides",
            )
        return windows(inputs["x"], self.spans, self.strides, self.padding)

    def channels(self, inputs: Inputs) -> int:
        """Return the number of depthwise output channels."""
        return known_size(self, inputs["x"]) * self.depth_multiplier

    def macs(self, inputs: Inputs) -> int | Dim:
        return product(self.spatial(inputs)) * product(self.kernel_size) * self.channels(inputs)


class DepthwiseConvolution(PerChannel):
    """Base class of DepthwiseConv1D and DepthwiseConv2D."""

    main_argument: ClassVar[str | None] = "kernel_size"

    def infer(self, inputs: Inputs) -> Outputs:
        return single((*self.spatial(inputs), self.channels(inputs)))

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        shape = (*self.kernel_size, known_size(self, inputs["x"]), self.depth_multiplier)
        kernel = self.owns("kernel", shape, argument="depthwise")
        return (kernel, self.owns("bias", (self.channels(inputs),))) if self.use_bias else (kernel,)


class DepthwiseConv1D(DepthwiseConvolution):
    """Depthwise convolution over time (Kaiser et al. 2018)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[1]


class DepthwiseConv2D(DepthwiseConvolution):
    """Depthwise convolution over images (Howard et al. 2017)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]


class SeparableConvolution(PerChannel):
    """Base class of separable convolutions: depthwise, then pointwise."""

    filters: PositiveInt = Field(description="Number of output channels.")
    pointwise_initializer: AnyInitializer = Field(
        "glorot_uniform", validate_default=True, description="Initializer of the pointwise kernel."
    )
    pointwise_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the pointwise kernel.")
    pointwise_constraint: AnyConstraint | None = Field(None, description="Constraint on the pointwise kernel.")

    def infer(self, inputs: Inputs) -> Outputs:
        return single((*self.spatial(inputs), self.filters))

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        ones = (1,) * len(self.kernel_size)
        shape = (*self.kernel_size, known_size(self, inputs["x"]), self.depth_multiplier)
        kernels = (
            self.owns("depthwise_kernel", shape, argument="depthwise"),
            self.owns("pointwise_kernel", (*ones, self.channels(inputs), self.filters), argument="pointwise"),
        )
        return (*kernels, self.owns("bias", (self.filters,))) if self.use_bias else kernels

    def macs(self, inputs: Inputs) -> int | Dim:
        return super().macs(inputs) + product(self.spatial(inputs)) * self.channels(inputs) * self.filters


class SeparableConv1D(SeparableConvolution):
    """Depthwise separable convolution over time (Kaiser et al. 2018)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[1]


class SeparableConv2D(SeparableConvolution):
    """Depthwise separable convolution over images (Chollet 2017)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]
