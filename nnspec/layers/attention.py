"""Attention: each query becomes a mean of values, weighted by how well its key fits."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from typing import ClassVar, Literal

from pydantic import Field

from nnspec.layers.along_time import AlongTime, attending, past_mask
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Ports, Window, single
from nnspec.layers.checks import known_size, require_axes, require_float
from nnspec.layers.heads import SCORES
from nnspec.layers.initializers import GlorotUniform, Ones
from nnspec.layers.merge import common_size
from nnspec.layers.scalars import Flag, Fraction, WholeNumber
from nnspec.types import Dim, TensorType, Weight, size_text, unknown

__all__ = ["AdditiveAttention", "Attention", "DotAttention"]


class DotAttention(Layer):
    """What attentions of one head share: ports, masks, causality.

    The value's mask leaves positions out, and queries that their own mask leaves out give 0; the query's mask goes on.
    """

    ports: ClassVar[Ports] = Ports(("query", "value"), ("key",), one_feeds_all=True)
    uses_mask: ClassVar[bool] = True
    passes_mask: ClassVar[bool] = True
    call_arguments: ClassVar[frozenset[str]] = frozenset({"use_causal_mask", "return_attention_scores"})
    beyond_keras: ClassVar[frozenset[str]] = call_arguments

    use_causal_mask: Flag = Field(False, description="Whether a query sees no later value than its own position.")
    return_attention_scores: Flag = Field(
        False, description=f"Whether the shares of the values are an output too, `{SCORES}`: queries, keys."
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
        """Query, value and key; the value is its own key where there is no other."""
        return inputs["query"], inputs["value"], inputs.get("key", inputs["value"])

    def _must_agree(self, a: int | Dim, b: int | Dim, one: str, x: TensorType, other: str, y: TensorType) -> None:
        if common_size(a, b) is None:
            raise LayerError(
                f"{type(self).__name__} compares a {one} of {size_text(a)} with a {other} of {size_text(b)}: {x} and {y}",
                help="bring both to one size, features with a `Dense` before it",
                port=other,
            )

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        query, value, key = self.tensors(inputs)
        return ((query.shape[1], key.shape[1]), (value.shape[0], key.shape[0]))

    def mask(self, inputs: Inputs) -> tuple[int | Dim, ...] | None:
        return inputs["query"].mask

    def macs(self, inputs: Inputs) -> int | Dim:
        """The scores, and the sum of the values."""
        query, value, key = self.tensors(inputs)
        return query.shape[0] * key.shape[0] * (key.shape[1] + value.shape[1])

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return EVERYTHING

    def along_time(self, inputs: Inputs, fed: Mapping[str, Hashable], along: AbstractSet[str]) -> AlongTime:
        value, steps = inputs["value"], unknown()
        keeps = {"past_value": TensorType((steps, value.shape[1]))} | past_mask(value, steps)
        return attending(fed, along, causal=self.use_causal_mask, plain=not self.return_attention_scores, keeps=keeps)


class Attention(DotAttention):
    """Attention by the product of query and key (Luong et al. 2015).

    With ``score_mode: concat`` the score is the sum of ``tanh(query + key)`` over the features.
    """

    use_scale: Flag = Field(False, description="Whether scores are multiplied by a learned scale.")
    score_mode: Literal["dot", "concat"] = Field("dot", description="How query and key are compared.")
    dropout: Fraction = Field(0.0, description="The share of the weights that is dropped in training.")
    seed: WholeNumber | None = Field(None, description="Makes dropout repeatable; null: from the seed of the whole build.")

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        names = ["scale"] * self.use_scale + ["concat_score_weight"] * (self.score_mode == "concat")
        return tuple(Weight(name, (), True, Ones()) for name in names)


class AdditiveAttention(DotAttention):
    """Attention by the sum of ``tanh(query + key)`` over the features, each with a learned scale (Bahdanau et al. 2015).

    The paper multiplies query and key by a matrix each; here, as in Keras, they are added as they come: put a `Dense` with
    ``use_bias: false`` before both ports, or attention has to be learned by the layers that give them.
    """

    use_scale: Flag = Field(True, description="Whether each feature has a learned scale.")
    dropout: Fraction = Field(0.0, description="The share of the weights that is dropped in training.")

    def infer(self, inputs: Inputs) -> Outputs:
        outputs = super().infer(inputs)
        if self.use_scale:
            known_size(self, inputs["query"], port="query")
        return outputs

    def weights(self, inputs: Inputs) -> tuple[Weight, ...]:
        size = (known_size(self, inputs["query"], port="query"),) if self.use_scale else ()
        return (Weight("scale", size, True, GlorotUniform.model_validate({})),) if size else ()
