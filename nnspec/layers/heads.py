"""Base class of multi-head attention layers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, Flag, Fraction, PositiveInt, WholeNumber
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Ports, Window, single
from nnspec.layers.checks import known_size, require_float
from nnspec.layers.merge import common_size
from nnspec.layers.time_dependence import TimeDependence, attending, past_mask
from nnspec.types import Dim, TensorType, Weight, product, size_text, unknown

SCORES = "attention_scores"
"""The name of the output with the attention weights."""


class HeadAttention(Layer):
    """Base class of scaled dot-product attention with several heads.

    Positions masked in query, value or key are ignored; the mask of the query is propagated.
    """

    unsupported: ClassVar[Mapping[str, str]] = {
        **Layer.unsupported,
        "flash_attention": "the backend chooses the kernel; remove it",
    }
    ports: ClassVar[Ports] = Ports(("query", "value"), ("key",), one_feeds_all=True)
    uses_mask: ClassVar[bool] = True
    passes_mask: ClassVar[bool] = True
    call_arguments: ClassVar[frozenset[str]] = frozenset({"use_causal_mask", "return_attention_scores"})
    beyond_keras: ClassVar[frozenset[str]] = call_arguments

    dropout: Fraction = Field(0.0, description="The fraction of the attention weights that is dropped in training.")
    use_bias: Flag = Field(True, description="Whether the projections add a bias.")
    sliding_window: PositiveInt | None = Field(
        None, description="A query attends only to positions closer than this, before and after it; null: to all."
    )
    kernel_initializer: AnyInitializer = Field(
        "glorot_uniform", validate_default=True, description="Initializer of the kernels."
    )
    bias_initializer: AnyInitializer = Field("zeros", validate_default=True, description="Initializer of the biases.")
    kernel_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the kernels.")
    bias_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the biases.")
    activity_regularizer: AnyRegularizer | None = Field(None, description="Penalty on the outputs of the projections.")
    kernel_constraint: AnyConstraint | None = Field(None, description="Constraint on the kernels.")
    bias_constraint: AnyConstraint | None = Field(None, description="Constraint on the biases.")
    use_gate: Flag = Field(False, description="Whether each head's output is multiplied by a gate computed from the query.")
    seed: WholeNumber | None = Field(None, description="Seed of the dropout; null: derived from the seed of the build.")
    use_causal_mask: Flag = Field(False, description="Whether a query attends only to its own and earlier positions.")
    return_attention_scores: Flag = Field(
        False, description=f"Whether the attention weights are also an output, `{SCORES}`, of shape (heads, queries, keys)."
    )

    @property
    def query_heads(self) -> int:
        """The number of query heads."""
        raise NotImplementedError

    @property
    def key_heads(self) -> int:
        """The number of key and value heads; each is shared by equally many query heads."""
        return self.query_heads

    @property
    def key_size(self) -> int:
        """Size of each head's query and key."""
        raise NotImplementedError

    @property
    def value_size(self) -> int:
        """Size of each head's value."""
        raise NotImplementedError

    def output_sizes(self, query: TensorType) -> tuple[int, ...]:
        """Return the sizes that replace the features of the query in the output."""
        return (known_size(self, query, port="query"),)

    def attended(self, query: TensorType) -> tuple[int, ...]:
        """Return the attention axes, where 0 is the batch axis; positions on other axes are independent."""
        del query
        return (1,)

    def others(self, query: TensorType) -> tuple[int, ...]:
        """Return the axes whose positions are independent of each other."""
        return tuple(axis for axis in range(1, query.rank) if axis not in self.attended(query))

    def is_flat(self, query: TensorType) -> bool:
        """Whether the query has exactly the axes (time, features)."""
        return query.rank == 2

    def empty_rows_are_zero(self, query: TensorType) -> bool:
        """Whether a query with all keys masked returns 0 instead of the unweighted mean, as Keras does."""
        return self.dropout > 0 or self.return_attention_scores or not self.is_flat(query)

    def infer(self, inputs: Inputs) -> Outputs:
        for port, x in inputs.items():
            self.check_axes(x, port)
            require_float(self, x, port)
            known_size(self, x, port=port)
        query, value, key = self.tensors(inputs)
        self._check_ranks(inputs)
        for axis in self.attended(query):
            if common_size(value.shape[axis - 1], key.shape[axis - 1]) is None:
                sizes = size_text(value.shape[axis - 1]), size_text(key.shape[axis - 1])
                raise LayerError(
                    f"value and key must have equally many positions, got {sizes[0]} and {sizes[1]}: {value} and {key}",
                    help="feed both from the same sequence",
                    port="key",
                )
        self._check_masks(inputs)
        outputs = single((*query.shape[:-1], *self.output_sizes(query)))
        if self.return_attention_scores:
            apart = [query.shape[axis - 1] for axis in self.others(query)]
            pairs = [x.shape[axis - 1] for x in (query, key) for axis in self.attended(query)]
            outputs |= {SCORES: TensorType((*apart, self.query_heads, *pairs))}
        return outputs

    def check_axes(self, x: TensorType, port: str) -> None:
        """Check the axes of an input."""
        raise NotImplementedError

    def _check_ranks(self, inputs: Inputs) -> None:
        query = inputs["query"]
        for port, x in inputs.items():
            if x.rank != query.rank:
                raise LayerError(
                    f"{type(self).__name__} needs query, value and key with the same number of axes, got {query} and {x}",
                    help="use `Reshape` to give them the same axes",
                    port=port,
                )
            for axis in self.others(query):
                if common_size(query.shape[axis - 1], x.shape[axis - 1]) is None:
                    raise LayerError(
                        f"axis {axis} is not an attention axis, so {query} and {x} must have the same size there",
                        help="add it to `attention_axes`, or give both the same size",
                        port=port,
                    )

    def _check_masks(self, inputs: Inputs) -> None:
        query = inputs["query"]
        if self.attended(query) == (1,):
            wrong = [port for port, x in inputs.items() if x.mask is not None and len(x.mask) != 1]
            reason = "a mask of one axis, time"
        else:
            wrong = [port for port, x in inputs.items() if x.mask is not None]
            reason = "no mask if the attention axes are not just the first axis"
            for argument in ("use_causal_mask", "sliding_window"):
                if getattr(self, argument):
                    raise LayerError(
                        f"`{argument}` needs attention over the first axis only, but the attention axes are "
                        + ", ".join(map(str, self.attended(query))),
                        help=f"write `attention_axes: 1`, or remove `{argument}`",
                        argument=argument,
                    )
        if wrong:
            x = inputs[wrong[0]]
            raise LayerError(
                f"{type(self).__name__} takes {reason}, got a mask of {len(x.mask or ())} axes with {x}",
                help="remove `mask_zero` from the embedding",
                port=wrong[0],
            )

    @staticmethod
    def tensors(inputs: Inputs) -> tuple[TensorType, TensorType, TensorType]:
        """Return query, value and key; the key defaults to the value."""
        return inputs["query"], inputs["value"], inputs.get("key", inputs["value"])

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        query, value, key = self.tensors(inputs)
        along = [(value.shape[axis - 1], key.shape[axis - 1]) for axis in self.attended(query)]
        apart = [(query.shape[axis - 1], x.shape[axis - 1]) for axis in self.others(query) for x in (value, key)]
        return (*along, *apart)

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        return inputs["query"].mask

    def projections(self, inputs: Inputs) -> dict[str, tuple[TensorType, int, int]]:
        """Return each projection's input, number of heads and size, in Keras's order."""
        query, value, key = self.tensors(inputs)
        gate = {"gate": (query, self.query_heads, self.value_size)} if self.use_gate else {}
        return {
            "query": (query, self.query_heads, self.key_size),
            "key": (key, self.key_heads, self.key_size),
            **gate,
            "value": (value, self.key_heads, self.value_size),
        }

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        found: list[Weight] = []
        for name, (x, heads, size) in self.projections(inputs).items():
            found += self._projection(name, (known_size(self, x, port=name), heads, size), (heads, size))
        output = self.output_sizes(inputs["query"])
        return (*found, *self._projection("attention_output", (self.query_heads, self.value_size, *output), output))

    def _projection(self, name: str, kernel: tuple[int, ...], bias: tuple[int, ...]) -> list[Weight]:
        owned = [self.owns("kernel", kernel), *([self.owns("bias", bias)] if self.use_bias else [])]
        return [replace(weight, name=f"{name}/{weight.name}") for weight in owned]

    def macs(self, inputs: Inputs) -> int | Dim:
        """Multiply–accumulates of the projections, the scores, and the weighted sums of the values."""
        query, _, key = self.tensors(inputs)
        total = product(query.shape[:-1]) * (self.query_heads * self.value_size * product(self.output_sizes(query)))
        for x, heads, size in self.projections(inputs).values():
            total = total + product(x.shape) * (heads * size)
        seen = product(key.shape[axis - 1] for axis in self.attended(query))
        return total + product(query.shape[:-1]) * seen * (self.query_heads * (self.key_size + self.value_size))

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return EVERYTHING

    def time_dependence(self, inputs: Inputs, fed: Mapping[str, Hashable], along: AbstractSet[str]) -> TimeDependence:
        """The cache has the axes (heads, time, size), the layout in which it is multiplied."""
        steps = unknown()
        sizes = {"past_key": self.key_size, "past_value": self.value_size}
        keeps = {port: TensorType((self.key_heads, steps, size)) for port, size in sizes.items()}
        keeps |= past_mask(inputs["value"], steps)
        plain = self.is_flat(inputs["query"]) and not self.return_attention_scores
        return attending(fed, along, causal=self.use_causal_mask, plain=plain, keeps=keeps)
