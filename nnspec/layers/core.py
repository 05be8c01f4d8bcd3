"""Dense and Embedding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, Flag, PositiveInt
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Window, single
from nnspec.layers.checks import known_size, require_float
from nnspec.layers.interfaces import Affine, ChoosesByIndex, ConvolvedOver, MayMask
from nnspec.layers.unsupported import LATER
from nnspec.types import Dim, Weight, product
from nnspec.types.activation_names import ActivationName


class Dense(Affine, ConvolvedOver):
    """A fully connected layer: ``activation(x · kernel + bias)`` over the last axis."""

    main_argument: ClassVar[str | None] = "units"
    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, **LATER}
    passes_mask: ClassVar[bool] = True

    units: PositiveInt = Field(description="Size of the output's last axis.")
    activation: ActivationName | None = Field(None, description="Applied to the output; null: none.")
    use_bias: Flag = Field(True, description="Whether a bias is added.")
    kernel_initializer: AnyInitializer = Field(
        "glorot_uniform", validate_default=True, description="Initializer of the kernel."
    )
    bias_initializer: AnyInitializer = Field("zeros", validate_default=True, description="Initializer of the bias.")
    kernel_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the kernel.")
    bias_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the bias.")
    activity_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the output.")
    kernel_constraint: AnyConstraint | None = Field(None, description="Constraint on the kernel.")
    bias_constraint: AnyConstraint | None = Field(None, description="Constraint on the bias.")

    @property
    def same_at_every_position(self) -> bool:
        return True

    slid_names: ClassVar[Mapping[str, str]] = {"units": "filters"}

    def over_positions(self, sizes: tuple[int, ...]) -> Layer:
        """Return a convolution whose kernel covers all positions; its weights are the same values in the same order."""
        from nnspec.layers.convolution import Conv1D, Conv2D, Conv3D

        given = {name: getattr(self, name) for name in type(self).model_fields if name not in self.slid_names}
        kind: type[Conv1D | Conv2D | Conv3D] = (Conv1D, Conv2D, Conv3D)[len(sizes) - 1]
        return kind(filters=self.units, kernel_size=sizes, **given)

    @property
    def linear_part(self) -> Layer:
        return self.model_copy(update={"activation": None})

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        if not x.rank:
            raise LayerError(
                "Dense takes at least one axis, got a scalar ()",
                help="declare the input's shape as `[1]`, or put `Reshape: {target_shape: [1]}` before it",
                port="x",
            )
        require_float(self, x)
        known_size(self, x)
        return single((*x.shape[:-1], self.units))

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        kernel = self.owns("kernel", (known_size(self, inputs["x"]), self.units))
        return (kernel, self.owns("bias", (self.units,))) if self.use_bias else (kernel,)

    def macs(self, inputs: Inputs) -> int | Dim:
        return product(inputs["x"].shape) * self.units

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return EVERYTHING if inputs["x"].rank == 1 else None


class Embedding(MayMask, ChoosesByIndex):
    """Maps integers to vectors by table lookup.

    It takes any integer dtype; as in Keras, all except int64 are converted to int32.
    An integer outside 0 … ``input_dim`` − 1 is invalid.
    """

    unsupported: ClassVar[Mapping[str, str]] = {
        **{name: reason for name, reason in Layer.unsupported.items() if name != "input_dim"},
        **LATER,
        "weights": "write `weights: {file: …}` next to the operation",
        "reverse": "only `ReversibleEmbedding` has it: write that instead of `Embedding`",
        "input_length": "sizes are inferred; declare the input's shape under `inputs`",
    }

    input_dim: PositiveInt = Field(description="Number of rows: the largest input integer plus 1.")
    output_dim: PositiveInt = Field(description="Size of each vector.")
    embeddings_initializer: AnyInitializer = Field("uniform", validate_default=True, description="Initializer of the table.")
    embeddings_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the table.")
    embeddings_constraint: AnyConstraint | None = Field(None, description="Constraint on the table.")
    mask_zero: Flag = Field(False, description="Whether 0 is padding, which the output's mask excludes.")

    @property
    def could_mask(self) -> bool:
        return not self.mask_zero

    @property
    def same_at_every_position(self) -> bool:
        return not self.mask_zero

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        if not x.is_integer:
            raise LayerError(
                f"Embedding takes integers, got {x.dtype}",
                help="declare the input with `dtype: int32`",
                port="x",
            )
        return single((*x.shape, self.output_dim))

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        return inputs["x"].shape if self.mask_zero else None

    def choices(self, inputs: Inputs) -> Mapping[str, int | Dim]:
        del inputs
        return {"x": self.input_dim}

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        return (self.owns("embeddings", (self.input_dim, self.output_dim)),)
