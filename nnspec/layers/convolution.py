"""Convolution layers."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from nnspec.layers.arguments import PositiveInt
from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, single
from nnspec.layers.checks import known_size
from nnspec.layers.padding import windows
from nnspec.layers.sliding import SPATIAL_AXES, WithKernel
from nnspec.types import Dim, Weight, product


class Convolution(WithKernel):
    """Base class of Conv1D, Conv2D and Conv3D."""

    groups: PositiveInt = Field(
        1, description="Number of groups into which input and output channels are split; groups are independent."
    )

    @property
    def linear_part(self) -> Layer | None:
        at_one_place = {*self.kernel_size, *self.strides} == {1} and self.around in (None, ((0, 0),) * len(self.axes))
        return self.model_copy(update={"activation": None}) if at_one_place else None

    def infer(self, inputs: Inputs) -> Outputs:
        self._check_groups(self.check_input(inputs))
        return single((*windows(inputs["x"], self.spans, self.strides, self.padding), self.filters))

    def _check_groups(self, channels: int) -> None:
        for what, count in (("filters", self.filters), ("input channels", channels)):
            if count % self.groups:
                raise LayerError(
                    f"{count} {what} cannot be split into {self.groups} groups",
                    help=f"choose `groups` to divide both {self.filters} filters and {channels} input channels",
                    argument="groups",
                )

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        channels = known_size(self, inputs["x"])
        kernel = self.owns("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        return (kernel, self.owns("bias", (self.filters,))) if self.use_bias else (kernel,)

    def macs(self, inputs: Inputs) -> int | Dim:
        channels = known_size(self, inputs["x"]) // self.groups
        return product(self.infer(inputs)["output"].shape) * product(self.kernel_size) * channels


class Conv1D(Convolution):
    """Convolution over time (LeCun et al. 1998; causal and dilated: van den Oord et al. 2016)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[1]
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same", "causal", "full")


class Conv2D(Convolution):
    """Convolution over images (LeCun et al. 1998)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[2]


class Conv3D(Convolution):
    """Convolution over volumes or videos (Ji et al. 2013)."""

    axes: ClassVar[tuple[str, ...]] = SPATIAL_AXES[3]
