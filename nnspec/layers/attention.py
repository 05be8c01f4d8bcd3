"""Attention layers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from typing import ClassVar, Literal

from pydantic import Field

from nnspec.layers.arguments import PositiveInt
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Ports, Window, single
from nnspec.layers.checks import known_size, require_axes, require_float
from nnspec.layers.heads import SCORES, HeadAttention
from nnspec.layers.initializers import GlorotUniform, Ones
from nnspec.layers.merge import common_size
from nnspec.layers.scalars import Flag, Fraction, WholeNumber
from nnspec.layers.time_dependence import TimeDependence, attending, past_mask
from nnspec.types import Dim, TensorType, Weight, size_text, unknown


class DotAttention(Layer):
    """Base class of single-head attention.

    Positions masked in the value are ignored, masked queries return 0, and the mask of the query is propagated.
    """

    ports: ClassVar[Ports] = Ports(("query", "value"), ("key",), one_feeds_all=True)
    uses_mask: ClassVar[bool] = True
    passes_mask: ClassVar[bool] = True
    call_arguments: ClassVar[frozenset[str]] = frozenset({"use_causal_mask", "return_attention_scores"})
    beyond_keras: ClassVar[frozenset[str]] = call_arguments

    use_causal_mask: Flag = Field(False, description="Whether a query attends only to its own and earlier positions.")
    return_attention_scores: Flag = Field(
        False, description=f"Whether the attention weights are also an output, `{SCORES}`, of shape (queries, keys)."
    )

    def infer(self, inputs: Inputs) -> Outputs:
        for port, x in inputs.items():
            require_axes(self, x, "time", "features", port=port)
            require_float(self, x, port)
        query, value, key = self.tensors(inputs)
        self._must_agree(query.shape[1], key.shape[1], "query", query, "key" if "key" in inputs else "value", key)
        self._must_agree(value.shape[0], key.shape[0], "value", value, "key", key)
        scores = {SCORES: TensorType((query.shape[0], key.shape[0]))} if self.return_attention_scores else {}
        return single((query.shape[0], value.shape[1])) | scores

    @staticmethod
    def tensors(inputs: Inputs) -> tuple[TensorType, TensorType, TensorType]:
        """Return query, value and key; the key defaults to the value."""
        return inputs["query"], inputs["value"], inputs.get("key", inputs["value"])

    def _must_agree(self, a: int | Dim, b: int | Dim, one: str, x: TensorType, other: str, y: TensorType) -> None:
        if common_size(a, b) is None:
            raise LayerError(
                f"{type(self).__name__} got a {one} of size {size_text(a)} and a {other} of size {size_text(b)}: {x} and {y}",
                help="give both the same size; a `Dense` before it changes the number of features",
                port=other,
            )

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        query, value, key = self.tensors(inputs)
        return ((query.shape[1], key.shape[1]), (value.shape[0], key.shape[0]))

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        return inputs["query"].mask

    def macs(self, inputs: Inputs) -> int | Dim:
        """Multiply–accumulates of the scores and of the weighted sum of the values."""
        query, value, key = self.tensors(inputs)
        return query.shape[0] * key.shape[0] * (key.shape[1] + value.shape[1])

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return EVERYTHING

    def time_dependence(self, inputs: Inputs, fed: Mapping[str, Hashable], along: AbstractSet[str]) -> TimeDependence:
        value, steps = inputs["value"], unknown()
        keeps = {"past_value": TensorType((steps, value.shape[1]))} | past_mask(value, steps)
        return attending(fed, along, causal=self.use_causal_mask, plain=not self.return_attention_scores, keeps=keeps)


class Attention(DotAttention):
    """Dot-product attention (Luong et al. 2015).

    With ``score_mode: concat`` the score is the sum of ``tanh(query + key)`` over the features.
    """

    use_scale: Flag = Field(False, description="Whether scores are multiplied by a learned scale.")
    score_mode: Literal["dot", "concat"] = Field("dot", description="How query and key are compared.")
    dropout: Fraction = Field(0.0, description="The fraction of the attention weights that is dropped in training.")
    seed: WholeNumber | None = Field(None, description="Seed of the dropout; null: derived from the seed of the build.")

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        names = ["scale"] * self.use_scale + ["concat_score_weight"] * (self.score_mode == "concat")
        return tuple(Weight(name, (), True, Ones()) for name in names)


class AdditiveAttention(DotAttention):
    """Additive attention: the sum of ``tanh(query + key)`` over the features, optionally scaled (Bahdanau et al. 2015).

    The paper multiplies query and key by a matrix each. As in Keras, this layer adds them without a projection: to get the
    paper's attention, put a `Dense` with ``use_bias: false`` before both ports.
    """

    use_scale: Flag = Field(True, description="Whether each feature has a learned scale.")
    dropout: Fraction = Field(0.0, description="The fraction of the attention weights that is dropped in training.")

    def infer(self, inputs: Inputs) -> Outputs:
        outputs = super().infer(inputs)
        if self.use_scale:
            known_size(self, inputs["query"], port="query")
        return outputs

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        size = (known_size(self, inputs["query"], port="query"),) if self.use_scale else ()
        return (Weight("scale", size, True, GlorotUniform.model_validate({})),) if size else ()


class MultiHeadAttention(HeadAttention):
    """Multi-head scaled dot-product attention (Vaswani et al. 2017).

    Positions masked in query, value or key are ignored. As in Keras, a query with all keys masked returns the unweighted
    mean, or 0 if there is dropout, the scores are an output, or there are more axes than time and features. The mask of the
    query is propagated.
    """

    num_heads: PositiveInt = Field(description="Number of heads.")
    key_dim: PositiveInt = Field(description="Size of each head's query and key.")
    value_dim: PositiveInt | None = Field(None, description="Size of each head's value; null: `key_dim`.")
    output_shape: PositiveInt | list[PositiveInt] | None = Field(
        None, description="The size or sizes that replace the query's features; null: the same number of features."
    )
    attention_axes: WholeNumber | list[WholeNumber] | None = Field(
        None, description="The attention axes, where 0 is the batch axis; null: all except the features."
    )

    @property
    def query_heads(self) -> int:
        return self.num_heads

    @property
    def key_size(self) -> int:
        return self.key_dim

    @property
    def value_size(self) -> int:
        return self.value_dim or self.key_dim

    def output_sizes(self, query: TensorType) -> tuple[int, ...]:
        if self.output_shape is None:
            return super().output_sizes(query)
        return (self.output_shape,) if isinstance(self.output_shape, int) else tuple(self.output_shape)

    def attended(self, query: TensorType) -> tuple[int, ...]:
        if self.attention_axes is None:
            return tuple(range(1, query.rank))
        given = self.attention_axes if isinstance(self.attention_axes, list) else [self.attention_axes]
        axes = tuple(axis if axis >= 0 else axis + query.rank + 1 for axis in given)
        if not axes or list(axes) != sorted(set(axes)) or not all(1 <= axis < query.rank for axis in axes):
            last = f" to {query.rank - 1}" if query.rank > 2 else ""
            raise LayerError(
                f"`attention_axes` is {given}, but the axes of {query} before the features are 1{last}",
                help="remove `attention_axes` to use all axes, or list axes in increasing order",
                argument="attention_axes",
            )
        return axes

    def check_axes(self, x: TensorType, port: str) -> None:
        if x.rank < 2:
            raise LayerError(
                f"MultiHeadAttention takes (time, …, features), at least two axes, got {x}",
                help="put a `Reshape` to 2 axes before it; a recurrent layer before it must have `return_sequences: true`",
                port=port,
            )


class GroupQueryAttention(HeadAttention):
    """Grouped-query attention: groups of query heads share one key and value head (Ainslie et al. 2023).

    With one key and value head it is multi-query attention (Shazeer 2019). Masks work as in ``MultiHeadAttention``.
    """

    head_dim: PositiveInt = Field(description="Size of each head's query, key and value.")
    num_query_heads: PositiveInt = Field(description="Number of query heads.")
    num_key_value_heads: PositiveInt = Field(description="Number of key and value heads; must divide `num_query_heads`.")

    @property
    def query_heads(self) -> int:
        return self.num_query_heads

    @property
    def key_heads(self) -> int:
        return self.num_key_value_heads

    @property
    def key_size(self) -> int:
        return self.head_dim

    @property
    def value_size(self) -> int:
        return self.head_dim

    def check_axes(self, x: TensorType, port: str) -> None:
        require_axes(self, x, "time", "features", port=port)

    def infer(self, inputs: Inputs) -> Outputs:
        if self.num_query_heads % self.num_key_value_heads:
            raise LayerError(
                f"{self.num_query_heads} query heads are not divisible by {self.num_key_value_heads} key and value heads",
                help="make `num_query_heads` a multiple of `num_key_value_heads`",
                argument="num_key_value_heads",
            )
        outputs = super().infer(inputs)
        query, value, _ = self.tensors(inputs)
        if query.shape[-1] != value.shape[-1]:
            raise LayerError(
                f"GroupQueryAttention needs a query and a value with the same number of features, got {query} and {value}",
                help=f"put `Dense: {{units: {query.shape[-1]}}}` before the value",
                port="value",
            )
        return outputs
