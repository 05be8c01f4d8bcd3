"""Convolutions whose kernel acts on each channel alone."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, PositiveInt
from nnspec.layers.base import Inputs, LayerError, Outputs, single
from nnspec.layers.checks import known_size
from nnspec.layers.padding import windows
from nnspec.layers.sliding import SPATIAL_AXES, Sliding
from nnspec.types import Dim, Weight, product

__all__ = ["DepthwiseConv1D", "DepthwiseConv2D", "DepthwiseConvolution", "PerChannel", "SeparableConv1D", "SeparableConv2D",
           "SeparableConvolution"]  # fmt: skip


class PerChannel(Sliding):
    """What depthwise and separable convolutions share."""

    depth_multiplier: PositiveInt = Field(1, description="Number of outputs of each input channel.")
    depthwise_initializer: AnyInitializer = Field("glorot_uniform", validate_default=True, description="The kernel at first.")
    depthwise_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the kernel of each channel.")
    depthwise_constraint: AnyConstraint | None = Field(None, description="What the kernel of each channel is held to.")

    def spatial(self, inputs: Inputs) -> tuple[int | Dim, ...]:
        """The sizes of the output's spatial axes."""
        self.check_input(inputs)
        if len(set(self.strides)) > 1:
            raise LayerError(
                f"{type(self).__name__} moves by one stride along all axes, not by {list(self.strides)}",
                help="write one number, or let a pooling after it stride",
                argument="strides",
            )
        return windows(inputs["x"], self.spans, self.strides, self.padding)

    def channels(self, inputs: Inputs) -> int:
        """Number of channels that each input channel on its own comes to."""
        return known_size(self, inputs["x"]) * self.depth_multiplier

    def macs(self, inputs: Inputs) -> int | Dim:
        return product(self.spatial(inputs)) * product(self.kernel_size) * self.channels(inputs)


class DepthwiseConvolution(PerChannel):
    """What DepthwiseConv1D and DepthwiseConv2D share."""

    def infer(self, inputs: Inputs) -> Outputs:
        return single((*self.spatial(inputs), self.channels(inputs)))

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        shape = (*self.kernel_size, known_size(self, inputs["x"]), self.depth_multiplier)
        kernel = self.owns("kernel", shape, argument="depthwise")
        return (kernel, self.owns("bias", (self.channels(inputs),))) if self.use_bias else (kernel,)


class DepthwiseConv1D(DepthwiseConvolution):
    """Convolution of each channel alone over time (Kaiser et al. 2018)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[1]


class DepthwiseConv2D(DepthwiseConvolution):
    """Convolution of each channel alone over pictures (Howard et al. 2017)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]


class SeparableConvolution(PerChannel):
    """What SeparableConv1D and SeparableConv2D share: each channel alone, then all channels at each position."""

    filters: PositiveInt = Field(description="Number of output channels.")
    pointwise_initializer: AnyInitializer = Field(
        "glorot_uniform", validate_default=True, description="The kernel across channels at first."
    )
    pointwise_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the kernel across channels.")
    pointwise_constraint: AnyConstraint | None = Field(None, description="What the kernel across channels is held to.")

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
    """Depthwise separable convolution over pictures (Chollet 2017)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]
