"""Attentions of several heads, where what Keras says of them is not so."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["GroupQueryAttention", "MultiHeadAttention"]


@keras.saving.register_keras_serializable("nnspec")
class MultiHeadAttention(keras.layers.MultiHeadAttention):  # type: ignore[misc]
    """Keras's, with the scores' shape: Keras 3.15.1 says that there are as many keys as queries, along one axis."""

    def compute_output_spec(self, query: Any, value: Any, key: Any = None, *args: Any, **given: Any) -> Any:
        found = super().compute_output_spec(query, value, key, *args, **given)
        if not given.get("return_attention_scores"):
            return found
        rank = len(query.shape)
        attended = [axis % rank for axis in self.attention_axes or range(1, rank - 1)]
        others = [axis for axis in range(rank - 1) if axis not in attended]
        pairs = [x.shape[axis] for x in (query, value) for axis in attended]
        shape = [*(query.shape[axis] for axis in others), self.num_heads, *pairs]
        return found[0], keras.KerasTensor(shape, dtype=found[1].dtype)


@keras.saving.register_keras_serializable("nnspec")
class GroupQueryAttention(keras.layers.GroupQueryAttention):  # type: ignore[misc]
    """Keras's, whose projections are given tensors without masks: Keras 3.15.1 warns of those that they drop."""

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        **given: Any,
    ) -> Any:
        key = None if key is None else ops.copy(key)
        masks = {"query_mask": query_mask, "value_mask": value_mask, "key_mask": key_mask}
        return super().call(ops.copy(query), ops.copy(value), key, **masks, **given)
