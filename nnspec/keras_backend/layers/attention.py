"""Attention layers of Keras 3.15.1 with fixes."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("nnspec")
class MultiHeadAttention(keras.layers.MultiHeadAttention):  # type: ignore[misc]
    """Infers the shape of the scores. Keras assumes as many keys as queries, along one axis."""

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
    """Passes tensors without masks to its projections, which would warn that they drop the masks."""

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


_ABSORBS = 1e9 * 2.0**29
"""At this distance from 0, neighboring float64 numbers are as far apart as neighboring float32 numbers at 1e9."""


class _Float64:
    """Masks scores in float64 as Keras does in float32.

    Keras subtracts 1e9 from a masked score. In float32 that absorbs the score, so that a row whose keys are all masked has
    uniform weights; in float64 it does not.
    """

    def _apply_scores(self, scores: Any, value: Any, scores_mask: Any = None, training: bool = False) -> Any:
        if scores_mask is not None:
            if len(scores_mask.shape) == 2:
                scores_mask = ops.expand_dims(scores_mask, axis=-2)
            scores = ops.where(scores_mask, scores, scores - _ABSORBS)
        return super()._apply_scores(scores, value, None, training)  # type: ignore[misc]


class Attention(_Float64, keras.layers.Attention):  # type: ignore[misc]
    """Keras's ``Attention`` in float64."""


class AdditiveAttention(_Float64, keras.layers.AdditiveAttention):  # type: ignore[misc]
    """Keras's ``AdditiveAttention`` in float64."""


FLOAT64 = {"Attention": Attention, "AdditiveAttention": AdditiveAttention}
"""The layers to build in float64, by Keras's name. These are never saved, and are not registered."""
