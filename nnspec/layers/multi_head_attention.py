"""Attention of several heads, each with projections of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, Flag, Fraction, PositiveInt, WholeNumber
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Ports, Window, single
from nnspec.layers.checks import known_size, require_axes, require_float
from nnspec.layers.merge import common_size
from nnspec.types import Dim, TensorType, Weight, size_text

__all__ = ["MultiHeadAttention"]


class MultiHeadAttention(Layer):
    """Scaled dot-product attention of several heads (Vaswani et al. 2017).

    The masks of query, value and key leave out what they leave out; a query for which nothing is left takes the plain mean,
    or 0 where there is dropout, as in Keras. The query's mask goes on.
    """

    unsupported: ClassVar[Mapping[str, str]] = {
        **Layer.unsupported,
        "flash_attention": "which kernel runs is the backend's choice; leave it out",
        "attention_axes": "attention runs over time, the first axis; `Reshape` brings others into one",
    }
    ports: ClassVar[Ports] = Ports(("query", "value"), ("key",), one_feeds_all=True)
    uses_mask: ClassVar[bool] = True
    passes_mask: ClassVar[bool] = True
    call_arguments: ClassVar[frozenset[str]] = frozenset({"use_causal_mask"})
    beyond_keras: ClassVar[frozenset[str]] = call_arguments

    num_heads: PositiveInt = Field(description="Number of heads.")
    key_dim: PositiveInt = Field(description="Size of each head's query and key.")
    value_dim: PositiveInt | None = Field(None, description="Size of each head's value; null: `key_dim`.")
    dropout: Fraction = Field(0.0, description="The share of the weights that is dropped in training.")
    use_bias: Flag = Field(True, description="Whether the projections add a bias.")
    output_shape: PositiveInt | None = Field(None, description="Size of the output's last axis; null: the query's.")
    sliding_window: PositiveInt | None = Field(
        None, description="A query sees only positions nearer than this, before and behind; null: all."
    )
    kernel_initializer: AnyInitializer = Field("glorot_uniform", validate_default=True, description="The kernels at first.")
    bias_initializer: AnyInitializer = Field("zeros", validate_default=True, description="The biases at first.")
    kernel_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the kernels.")
    bias_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the biases.")
    activity_regularizer: AnyRegularizer | None = Field(None, description="Penalty on what the projections give.")
    kernel_constraint: AnyConstraint | None = Field(None, description="What the kernels are held to.")
    bias_constraint: AnyConstraint | None = Field(None, description="What the biases are held to.")
    use_gate: Flag = Field(False, description="Whether each head's output is multiplied by a gate that the query opens.")
    seed: WholeNumber | None = Field(None, description="Makes dropout repeatable; null: from the seed of the whole build.")
    use_causal_mask: Flag = Field(False, description="Whether a query sees no later value than its own position.")

    @property
    def value_size(self) -> int:
        """Size of each head's value."""
        return self.value_dim or self.key_dim

    def infer(self, inputs: Inputs) -> Outputs:
        for port, x in inputs.items():
            require_axes(self, x, "time", "features", port=port)
            require_float(self, x, port)
            known_size(self, x, port=port)
        query, value, key = self.tensors(inputs)
        if common_size(value.shape[0], key.shape[0]) is None:
            raise LayerError(
                f"a value of {size_text(value.shape[0])} positions has a key of {size_text(key.shape[0])}: {value} and {key}",
                help="feed both from the same sequence",
                port="key",
            )
        return single((query.shape[0], self.output_size(query)))

    def output_size(self, query: TensorType) -> int:
        """Size of the output's last axis."""
        return self.output_shape or known_size(self, query, port="query")

    @staticmethod
    def tensors(inputs: Inputs) -> tuple[TensorType, TensorType, TensorType]:
        """Query, value and key; the value is its own key where there is no other."""
        return inputs["query"], inputs["value"], inputs.get("key", inputs["value"])

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        _, value, key = self.tensors(inputs)
        return ((value.shape[0], key.shape[0]),)

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        return inputs["query"].mask

    def projections(self, inputs: Inputs) -> dict[str, tuple[TensorType, int]]:
        """What is projected for each head, and to what size, in Keras's order."""
        query, value, key = self.tensors(inputs)
        gate = {"gate": (query, self.value_size)} if self.use_gate else {}
        return {"query": (query, self.key_dim), "key": (key, self.key_dim), **gate, "value": (value, self.value_size)}

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        heads = self.num_heads
        found: list[Weight] = []
        for name, (x, size) in self.projections(inputs).items():
            found += self._projection(name, (known_size(self, x, port=name), heads, size), (heads, size))
        output = self.output_size(inputs["query"])
        return (*found, *self._projection("attention_output", (heads, self.value_size, output), (output,)))

    def _projection(self, name: str, kernel: tuple[int, ...], bias: tuple[int, ...]) -> list[Weight]:
        owned = [self.owns("kernel", kernel), *([self.owns("bias", bias)] if self.use_bias else [])]
        return [replace(weight, name=f"{name}/{weight.name}") for weight in owned]

    def macs(self, inputs: Inputs) -> int | Dim:
        """The projections, the scores, and the sums of the values."""
        query, _, key = self.tensors(inputs)
        heads, total = self.num_heads, query.shape[0] * (self.num_heads * self.value_size * self.output_size(query))
        for x, size in self.projections(inputs).values():
            total = total + x.shape[0] * (known_size(self, x) * heads * size)
        return total + query.shape[0] * key.shape[0] * (heads * (self.key_dim + self.value_size))

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return EVERYTHING
