"""Attention of several heads, groups of which share their keys and values."""

from __future__ import annotations

from pydantic import Field

from nnspec.layers.arguments import PositiveInt
from nnspec.layers.base import Inputs, LayerError, Outputs
from nnspec.layers.checks import require_axes
from nnspec.layers.heads import HeadAttention
from nnspec.types import TensorType

__all__ = ["GroupQueryAttention"]


class GroupQueryAttention(HeadAttention):
    """Attention of several heads, groups of which share a key and a value (Ainslie et al. 2023).

    With one head of keys and values it is multi-query attention (Shazeer 2019). Masks act as in ``MultiHeadAttention``.
    """

    head_dim: PositiveInt = Field(description="Size of each head's query, key and value.")
    num_query_heads: PositiveInt = Field(description="Number of heads.")
    num_key_value_heads: PositiveInt = Field(description="Number of heads of keys and values; it divides that of the queries.")

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
                f"{self.num_query_heads} heads cannot share the keys and values of {self.num_key_value_heads} evenly",
                help="make `num_query_heads` a multiple of `num_key_value_heads`",
                argument="num_key_value_heads",
            )
        outputs = super().infer(inputs)
        query, value, _ = self.tensors(inputs)
        if query.shape[-1] != value.shape[-1]:
            raise LayerError(
                f"GroupQueryAttention takes a query and a value of as many features, got {query} and {value}",
                help=f"put `Dense: {{units: {query.shape[-1]}}}` before the value",
                port="value",
            )
        return outputs
