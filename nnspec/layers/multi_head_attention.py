"""Multi-head attention."""

from __future__ import annotations

from pydantic import Field

from nnspec.layers.arguments import PositiveInt, WholeNumber
from nnspec.layers.base import LayerError
from nnspec.layers.heads import HeadAttention
from nnspec.types import TensorType

__all__ = ["MultiHeadAttention"]


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
