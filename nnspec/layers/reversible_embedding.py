"""Embedding with a reverse projection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, Flag, PositiveInt
from nnspec.layers.base import EVERYTHING, Inputs, LayerError, Outputs, Window, single
from nnspec.layers.checks import require_float
from nnspec.layers.core import Embedding
from nnspec.layers.interfaces import ChoosesByIndex, MayMask
from nnspec.layers.scalars import PositiveNumber
from nnspec.types import Dim, TensorType, Weight, product, same_size, size_text


class ReversibleEmbedding(MayMask, ChoosesByIndex):
    """An embedding whose table also projects vectors back to scores of all integers (Press and Wolf 2016).

    To use the same table in reverse, write ``share: {layer: NAME, reverse: true}``. In reverse there is no output mask.
    """

    unsupported: ClassVar[Mapping[str, str]] = {
        name: reason for name, reason in Embedding.unsupported.items() if name != "reverse"
    }
    call_arguments: ClassVar[frozenset[str]] = frozenset({"reverse"})
    beyond_keras: ClassVar[frozenset[str]] = call_arguments

    input_dim: PositiveInt = Field(description="Number of rows: the largest input integer plus 1.")
    output_dim: PositiveInt = Field(description="Size of each vector.")
    tie_weights: Flag = Field(True, description="Whether the reverse projection shares the table.")
    embeddings_initializer: AnyInitializer = Field("uniform", validate_default=True, description="Initializer of the table.")
    embeddings_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the table.")
    embeddings_constraint: AnyConstraint | None = Field(None, description="Constraint on the table.")
    mask_zero: Flag = Field(False, description="Whether 0 is padding, which the output's mask excludes.")
    # Half precision is excluded: its results differ between runtimes by more than the parity tolerance.
    reverse_dtype: Literal["float32", "float64"] | None = Field(
        None, description="The precision of the reverse projection; null: the layer's own."
    )
    logit_soft_cap: PositiveNumber | None = Field(
        None, description="Limit of the scores: they become `cap · tanh(score / cap)`; null: no limit."
    )
    reverse: Flag = Field(False, description="Whether to project vectors to scores of all integers.")

    @property
    def could_mask(self) -> bool:
        return not self.mask_zero and not self.reverse

    def infer(self, inputs: Inputs) -> Outputs:
        x = inputs["x"]
        if self.reverse:
            return self._scores(x)
        if not x.is_integer:
            raise LayerError(
                f"ReversibleEmbedding takes integers, got {x.dtype}",
                help="declare the input with `dtype: int32`, or write `reverse: true` for vectors",
                port="x",
            )
        return single((*x.shape, self.output_dim))

    def _scores(self, x: TensorType) -> Outputs:
        require_float(self, x)
        if not x.rank or same_size(x.shape[-1], self.output_dim) is False:
            got = size_text(x.shape[-1]) if x.rank else "a scalar"
            raise LayerError(
                f"in reverse, ReversibleEmbedding takes vectors of size {self.output_dim}, got {got}: {x}",
                help=f"put `Dense: {{units: {self.output_dim}}}` before it",
                port="x",
            )
        return single((*x.shape[:-1], self.input_dim), self.reverse_dtype or "float32")

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        return ((inputs["x"].shape[-1], self.output_dim),) if self.reverse else ()

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        return inputs["x"].shape if self.mask_zero and not self.reverse else None

    def choices(self, inputs: Inputs) -> Mapping[str, int | Dim]:
        del inputs
        return {} if self.reverse else {"x": self.input_dim}

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        table = self.owns("embeddings", (self.input_dim, self.output_dim))
        if self.tie_weights:
            return (table,)
        return (table, self.owns("reverse_embeddings", (self.output_dim, self.input_dim), argument="embeddings"))

    def macs(self, inputs: Inputs) -> int | Dim:
        return product(inputs["x"].shape) * self.input_dim if self.reverse else 0

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return EVERYTHING if self.reverse and inputs["x"].rank == 1 else None
