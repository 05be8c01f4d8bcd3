"""Base classes of convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field, ValidationInfo, field_validator

from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, Flag, PositiveInt, Sizes, per_axis
from nnspec.layers.base import Inputs, Layer, LayerError, Window
from nnspec.layers.checks import known_size, require_axes, require_float
from nnspec.layers.interfaces import Affine
from nnspec.layers.padding import Padding, WrittenPadding, parse_padding, positions_around, positions_before
from nnspec.layers.unsupported import DATA_FORMAT, LATER
from nnspec.types.activation_names import ActivationName

SPATIAL_AXES = {1: ("time",), 2: ("height", "width"), 3: ("depth", "height", "width")}
"""Names of the spatial axes, by their number."""


class Sliding(Affine):
    """Base class of all convolutions."""

    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, **LATER, "data_format": DATA_FORMAT}
    axes: ClassVar[tuple[str, ...]]
    paddings: ClassVar[tuple[str, ...]] = ("valid", "same", "full")

    kernel_size: Sizes = Field(description="Kernel size along each spatial axis.")
    strides: Sizes = Field(1, validate_default=True, description="Stride along each spatial axis.")
    padding: Padding = Field(
        "valid",
        validate_default=True,
        description="`valid`: none; `same`: the output has the input's size divided by the stride; `full`: every partial "
        "overlap; "
        "`causal` (Conv1D): only before; P: P positions on every side; a list: P or [before, after] for each spatial axis. "
        "The padding value is 0.",
    )
    dilation_rate: Sizes = Field(1, validate_default=True, description="Dilation along each spatial axis.")
    activation: ActivationName | None = Field(None, description="Applied to the output; null: none.")
    use_bias: Flag = Field(True, description="Whether a bias is added.")
    bias_initializer: AnyInitializer = Field("zeros", validate_default=True, description="Initializer of the bias.")
    bias_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the bias.")
    activity_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the output.")
    bias_constraint: AnyConstraint | None = Field(None, description="Constraint on the bias.")

    @field_validator("kernel_size", "strides", "dilation_rate", mode="before")
    @classmethod
    def _for_each_axis(cls, value: Any, info: ValidationInfo) -> Any:
        return per_axis(value, len(cls.axes), str(info.field_name))

    @field_validator("padding", mode="plain", json_schema_input_type=WrittenPadding)
    @classmethod
    def _normal_padding(cls, value: Any) -> Padding:
        return parse_padding(value, len(cls.axes), cls.paddings)

    def check_input(self, inputs: Inputs) -> int:
        """Check the input and return its number of channels."""
        x = inputs["x"]
        require_axes(self, x, *self.axes, "channels")
        require_float(self, x)
        channels = known_size(self, x)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise LayerError(
                f"strides {list(self.strides)} and dilation_rate {list(self.dilation_rate)} cannot both exceed 1",
                help="set one of them to 1, or put a `MaxPooling` with `pool_size: 1` and strides after the dilated "
                "convolution",
                argument="dilation_rate",
            )
        return channels

    @property
    def spans(self) -> tuple[int, ...]:
        """The kernel size along each spatial axis, including dilation."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel_size, self.dilation_rate, strict=True))

    @property
    def around(self) -> tuple[tuple[int, int], ...] | None:
        """The padding before and after each spatial axis; None for ``same``, where it depends on the input size."""
        return positions_around(self.padding, self.spans)

    def receptive_field(self, inputs: Inputs) -> Window | None:
        before = positions_before(inputs["x"], self.spans, self.strides, self.padding)
        return Window(self.spans, self.strides, tuple(None if b is None else -b for b in before))


class WithKernel(Sliding):
    """Base class of convolutions with a single kernel."""

    filters: PositiveInt = Field(description="Number of output channels.")
    kernel_initializer: AnyInitializer = Field(
        "glorot_uniform", validate_default=True, description="Initializer of the kernel."
    )
    kernel_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the kernel.")
    kernel_constraint: AnyConstraint | None = Field(None, description="Constraint on the kernel.")
