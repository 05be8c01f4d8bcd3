"""What attentions of several heads share."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from nnspec.layers.along_time import AlongTime, attending, past_mask
from nnspec.layers.arguments import AnyConstraint, AnyInitializer, AnyRegularizer, Flag, Fraction, PositiveInt, WholeNumber
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Ports, Window, single
from nnspec.layers.checks import known_size, require_float
from nnspec.layers.merge import common_size
from nnspec.types import Dim, TensorType, Weight, product, size_text, unknown

__all__ = ["SCORES", "HeadAttention"]

SCORES = "attention_scores"
"""The output that the shares of the values are."""


class HeadAttention(Layer):
    """Scaled dot-product attention of several heads; one is made by its heads and their sizes.

    The masks of query, value and key leave out what they leave out; the query's mask goes on.
    """

    unsupported: ClassVar[Mapping[str, str]] = {
        **Layer.unsupported,
        "flash_attention": "which kernel runs is the backend's choice; leave it out",
    }
    ports: ClassVar[Ports] = Ports(("query", "value"), ("key",), one_feeds_all=True)
    uses_mask: ClassVar[bool] = True
    passes_mask: ClassVar[bool] = True
    call_arguments: ClassVar[frozenset[str]] = frozenset({"use_causal_mask", "return_attention_scores"})
    beyond_keras: ClassVar[frozenset[str]] = call_arguments

    dropout: Fraction = Field(0.0, description="The share of the weights that is dropped in training.")
    use_bias: Flag = Field(True, description="Whether the projections add a bias.")
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
    return_attention_scores: Flag = Field(
        False, description=f"Whether the shares of the values are an output too, `{SCORES}`: heads, queries, keys."
    )

    @property
    def query_heads(self) -> int:
        """The number of heads."""
        raise NotImplementedError

    @property
    def key_heads(self) -> int:
        """The number of heads that keys and values have; each serves as many of the queries'."""
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
        """The sizes that take the place of the query's features."""
        return (known_size(self, query, port="query"),)

    def attended(self, query: TensorType) -> tuple[int, ...]:
        """The axes that attention runs over, the batch axis counted as 0; at the others it runs apart."""
        del query
        return (1,)

    def others(self, query: TensorType) -> tuple[int, ...]:
        """The axes at whose positions attention runs apart."""
        return tuple(axis for axis in range(1, query.rank) if axis not in self.attended(query))

    def is_flat(self, query: TensorType) -> bool:
        """Whether the query is a sequence of features, and nothing more."""
        return query.rank == 2

    def empty_rows_are_zero(self, query: TensorType) -> bool:
        """Whether a query for which nothing is left gives 0, rather than the plain mean: so it is in Keras, by its way."""
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
                    f"a value of {sizes[0]} positions has a key of {sizes[1]}: {value} and {key}",
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
        """Refuses an input that it cannot run over."""
        raise NotImplementedError

    def _check_ranks(self, inputs: Inputs) -> None:
        query = inputs["query"]
        for port, x in inputs.items():
            if x.rank != query.rank:
                raise LayerError(
                    f"{type(self).__name__} takes query, value and key of as many axes, got {query} and {x}",
                    help="`Reshape` brings one to the axes of the other",
                    port=port,
                )
            for axis in self.others(query):
                if common_size(query.shape[axis - 1], x.shape[axis - 1]) is None:
                    raise LayerError(
                        f"attention runs apart at each position of axis {axis}, and {query} and {x} have not as many",
                        help="name it in `attention_axes`, or give both the same size",
                        port=port,
                    )

    def _check_masks(self, inputs: Inputs) -> None:
        query = inputs["query"]
        if self.attended(query) == (1,):
            wrong = [port for port, x in inputs.items() if x.mask is not None and len(x.mask) != 1]
            reason = "a mask of one axis, time"
        else:
            wrong = [port for port, x in inputs.items() if x.mask is not None]
            reason = "no mask where attention runs over other axes than the first"
            for argument in ("use_causal_mask", "sliding_window"):
                if getattr(self, argument):
                    raise LayerError(
                        f"`{argument}` is for attention over the first axis alone, and it runs over "
                        + ", ".join(map(str, self.attended(query))),
                        help="write `attention_axes: 1`, or leave it out",
                        argument=argument,
                    )
        if wrong:
            x = inputs[wrong[0]]
            raise LayerError(
                f"{type(self).__name__} takes {reason}, got one of {len(x.mask or ())} axes with {x}",
                help="take `mask_zero` off the embedding",
                port=wrong[0],
            )

    @staticmethod
    def tensors(inputs: Inputs) -> tuple[TensorType, TensorType, TensorType]:
        """Query, value and key; the value is its own key where there is no other."""
        return inputs["query"], inputs["value"], inputs.get("key", inputs["value"])

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        query, value, key = self.tensors(inputs)
        along = [(value.shape[axis - 1], key.shape[axis - 1]) for axis in self.attended(query)]
        apart = [(query.shape[axis - 1], x.shape[axis - 1]) for axis in self.others(query) for x in (value, key)]
        return (*along, *apart)

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        return inputs["query"].mask

    def projections(self, inputs: Inputs) -> dict[str, tuple[TensorType, int, int]]:
        """What is projected, to how many heads and to what size, in Keras's order."""
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
        """The projections, the scores, and the sums of the values."""
        query, _, key = self.tensors(inputs)
        total = product(query.shape[:-1]) * (self.query_heads * self.value_size * product(self.output_sizes(query)))
        for x, heads, size in self.projections(inputs).values():
            total = total + product(x.shape) * (heads * size)
        seen = product(key.shape[axis - 1] for axis in self.attended(query))
        return total + product(query.shape[:-1]) * seen * (self.query_heads * (self.key_size + self.value_size))

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return EVERYTHING

    def along_time(self, inputs: Inputs, fed: Mapping[str, Hashable], along: AbstractSet[str]) -> AlongTime:
        """Heads are kept apart, and time behind them: as they are multiplied, so that nothing has to move."""
        steps = unknown()
        sizes = {"past_key": self.key_size, "past_value": self.value_size}
        keeps = {port: TensorType((self.key_heads, steps, size)) for port, size in sizes.items()}
        keeps |= past_mask(inputs["value"], steps)
        plain = self.is_flat(inputs["query"]) and not self.return_attention_scores
        return attending(fed, along, causal=self.use_causal_mask, plain=plain, keeps=keeps)
