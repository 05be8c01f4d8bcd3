"""Layers that work on the last axis alone: Dense and Embedding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from nnspec.layers.activation_names import ActivationName
from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, Flag, PositiveInt
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Window, single
from nnspec.layers.checks import known_size, require_float
from nnspec.layers.interfaces import Affine, ChoosesByIndex, ConvolvedOver, MayMask
from nnspec.layers.unsupported import LATER
from nnspec.types import Dim, Weight, product

__all__ = ["Dense", "Embedding"]


class Dense(Affine, ConvolvedOver):
    """Fully connected: ``activation(x · kernel + bias)`` over the last axis, at every other position alike."""

    unsupported: ClassVar[Mapping[str, str]] = {**Layer.unsupported, **LATER}
    passes_mask: ClassVar[bool] = True

    units: PositiveInt = Field(description="Size of the output's last axis.")
    activation: ActivationName | None = Field(None, description="Applied to the output; null: none.")
    use_bias: Flag = Field(True, description="Whether a bias is added.")
    kernel_initializer: AnyInitializer = Field("glorot_uniform", validate_default=True, description="The kernel at first.")
    bias_initializer: AnyInitializer = Field("zeros", validate_default=True, description="The bias at first.")
    kernel_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the kernel.")
    bias_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the bias.")
    activity_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the output.")
    kernel_constraint: AnyConstraint | None = Field(None, description="What the kernel is held to.")
    bias_constraint: AnyConstraint | None = Field(None, description="What the bias is held to.")

    @property
    def same_at_every_position(self) -> bool:
        return True

    slid_names: ClassVar[Mapping[str, str]] = {"units": "filters"}

    def over_positions(self, sizes: tuple[int, ...]) -> Layer:
        """A convolution whose kernel spans all the positions: its weights are the same numbers in the same order."""
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
    """A table of vectors: each whole number becomes its row.

    Takes any integer element type; as in Keras, all but int64 are read as int32.
    A number outside 0 … ``input_dim`` − 1 is an error of the data.
    """

    unsupported: ClassVar[Mapping[str, str]] = {
        **{name: reason for name, reason in Layer.unsupported.items() if name != "input_dim"},
        **LATER,
        "weights": "write `weights: {file: …}` beside the operation",
        "reverse": "only `ReversibleEmbedding` is read in reverse: write that in place of `Embedding`",
        "input_length": "sizes are inferred; the shape of what comes in stands under `inputs`",
    }

    input_dim: PositiveInt = Field(description="Number of rows: the largest number that comes in, plus 1.")
    output_dim: PositiveInt = Field(description="Size of a vector.")
    embeddings_initializer: AnyInitializer = Field("uniform", validate_default=True, description="The table at first.")
    embeddings_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the table.")
    embeddings_constraint: AnyConstraint | None = Field(None, description="What the table is held to.")
    mask_zero: Flag = Field(False, description="Whether 0 is padding: the output then carries a mask that leaves it out.")

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
                f"Embedding takes whole numbers, got {x.dtype}",
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
