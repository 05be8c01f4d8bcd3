"""Convolutions: a small kernel slides over the spatial axes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, ValidationInfo, field_validator

from nnspec.layers.activation_names import ActivationName
from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, Flag, PositiveInt, Sizes, per_axis
from nnspec.layers.base import Inputs, Layer, LayerError, Outputs, Window, single
from nnspec.layers.checks import known_size, require_axes, require_float
from nnspec.layers.padding import Padding, parse_padding, positions_around, windows
from nnspec.layers.unsupported import DATA_FORMAT, LATER
from nnspec.types import Dim, Weight, product

__all__ = ["Conv1D", "Conv2D", "Convolution"]


class Convolution(Layer):
    """What all convolutions share; one is made by naming its axes."""

    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, **LATER, "data_format": DATA_FORMAT}
    axes: ClassVar[tuple[str, ...]]
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same", "full")

    filters: PositiveInt = Field(description="Number of output channels.")
    kernel_size: Sizes = Field(description="The kernel's positions along each spatial axis.")
    strides: Sizes = Field(1, validate_default=True, description="Positions between neighbouring outputs.")
    padding: Padding = Field(
        "valid",
        validate_default=True,
        description="`valid`: none; `same`: as many outputs as inputs, strides aside; `full`: each overlap; `causal` (Conv1D): "
        "all before; P: P positions on every side; a list: P or [before, after] for each spatial axis. Padding is 0.",
    )
    dilation_rate: Sizes = Field(1, validate_default=True, description="Positions between the kernel's neighbouring weights.")
    groups: PositiveInt = Field(1, description="Input and output channels are split into so many groups that do not mix.")
    activation: ActivationName | None = Field(None, description="Applied to the output; null: none.")
    use_bias: Flag = Field(True, description="Whether a bias is added.")
    kernel_initializer: AnyInitializer = Field("glorot_uniform", validate_default=True, description="The kernel at first.")
    bias_initializer: AnyInitializer = Field("zeros", validate_default=True, description="The bias at first.")
    kernel_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the kernel.")
    bias_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the bias.")
    activity_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the output.")
    kernel_constraint: AnyConstraint | None = Field(None, description="What the kernel is held to.")
    bias_constraint: AnyConstraint | None = Field(None, description="What the bias is held to.")

    @field_validator("kernel_size", "strides", "dilation_rate", mode="before")
    @classmethod
    def _for_each_axis(cls, value: Any, info: ValidationInfo) -> Any:
        return per_axis(value, len(cls.axes), str(info.field_name))

    @field_validator("padding", mode="plain")
    @classmethod
    def _normal_padding(cls, value: Any) -> Padding:
        return parse_padding(value, len(cls.axes), cls.paddings)

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        require_axes(self, x, *self.axes, "channels")
        require_float(self, x)
        self._check_groups(known_size(self, x))
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise LayerError(
                f"strides {list(self.strides)} and dilation_rate {list(self.dilation_rate)} cannot both exceed 1",
                help="keep one of them at 1, or let a `MaxPooling` with `pool_size: 1` after the dilated convolution stride",
                argument="dilation_rate",
            )
        spatial = windows(x, self.spans, self.strides, self.padding)
        return single((*spatial, self.filters))

    def _check_groups(self, channels: int) -> None:
        for what, count in (("filters", self.filters), ("input channels", channels)):
            if count % self.groups:
                raise LayerError(
                    f"{count} {what} cannot be split into {self.groups} groups",
                    help=f"choose `groups` so that it divides {self.filters} filters and {channels} input channels",
                    argument="groups",
                )

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        channels = known_size(self, inputs["x"])
        kernel = self.owns("kernel", (*self.kernel_size, channels // self.groups, self.filters))
        return (kernel, self.owns("bias", (self.filters,))) if self.use_bias else (kernel,)

    @property
    def spans(self) -> tuple[int, ...]:
        """Input positions from the kernel's first to its last, along each spatial axis."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel_size, self.dilation_rate, strict=True))

    @property
    def around(self) -> tuple[tuple[int, int], ...] | None:
        """Zeros before and after each spatial axis; None for ``same``, where that depends on the input's size."""
        return positions_around(self.padding, self.spans)

    def macs(self, inputs: Inputs) -> int | Dim:
        channels = known_size(self, inputs["x"]) // self.groups
        return product(self.infer(inputs)["output"].shape) * product(self.kernel_size) * channels

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return Window(self.spans, self.strides)


class Conv1D(Convolution):
    """Convolution over time (LeCun et al. 1998; causal and dilated: van den Oord et al. 2016)."""

    axes: ClassVar[tuple[str, ...]] = ("time",)
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same", "causal", "full")


class Conv2D(Convolution):
    """Convolution over pictures (LeCun et al. 1998)."""

    axes: ClassVar[tuple[str, ...]] = ("height", "width")
