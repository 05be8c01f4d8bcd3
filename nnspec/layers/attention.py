"""Single-head attention layers."""

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

    def along_time(self, inputs: Inputs, fed: Mapping[str, Hashable], along: AbstractSet[str]) -> AlongTime:
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
