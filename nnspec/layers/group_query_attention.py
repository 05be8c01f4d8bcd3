"""Grouped-query attention."""

from __future__ import annotations

from pydantic import Field

from nnspec.layers.arguments import PositiveInt
from nnspec.layers.base import Inputs, LayerError, Outputs
from nnspec.layers.checks import require_axes
from nnspec.layers.heads import HeadAttention
from nnspec.types import TensorType

__all__ = ["GroupQueryAttention"]


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
