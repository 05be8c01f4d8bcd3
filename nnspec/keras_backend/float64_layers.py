"""Layers that compute in float64 what Keras's compute in float32.

TensorFlow 2.21 has no float64 kernel for pooling of volumes. Keras's attention layers subtract 1e9 from a masked score: in
float32 the score is absorbed, so that a row with no key left has uniform weights; in float64 it is not.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["AdditiveAttention", "Attention", "Pooling3D", "is_float64"]

_ABSORBS = 1e9 * 2.0**29
"""So far from 0 neighboring numbers of float64 are as far apart as those of float32 at 1e9."""


def is_float64() -> bool:
    """Whether layers are built in float64."""
    return bool(keras.config.floatx() == "float64")


class _Masked:
    """Masked scores are absorbed."""

    def _apply_scores(self, scores: Any, value: Any, scores_mask: Any = None, training: bool = False) -> Any:
        if scores_mask is not None:
            if len(scores_mask.shape) == 2:
                scores_mask = ops.expand_dims(scores_mask, axis=-2)
            scores = ops.where(scores_mask, scores, scores - _ABSORBS)
        return super()._apply_scores(scores, value, None, training)  # type: ignore[misc]


class Attention(_Masked, keras.layers.Attention):  # type: ignore[misc]
    """Keras's ``Attention``."""


class AdditiveAttention(_Masked, keras.layers.AdditiveAttention):  # type: ignore[misc]
    """Keras's ``AdditiveAttention``."""


class Pooling3D(keras.layers.Layer):  # type: ignore[misc]
    """Keras's ``MaxPooling3D`` or ``AveragePooling3D``: each slice is pooled, and then across the slices.

    Args:
        reduction: ``max`` or ``mean``.
        pool_size: The window, along each spatial axis.
        strides: Likewise.
        padding: ``valid`` or ``same``.
        **arguments: Keras's of ``Layer``.
    """

    def __init__(self, reduction: str, pool_size: Any, strides: Any, padding: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._pool = ops.max_pool if reduction == "max" else ops.average_pool
        self._size, self._strides, self._padding = tuple(pool_size), tuple(strides), padding

    def call(self, inputs: Any) -> Any:
        batch, depth, height, width, channels = ops.shape(inputs)
        flat = self._over(ops.reshape(inputs, (-1, height, width, channels)), self._size[1:], self._strides[1:])
        _, height, width, _ = ops.shape(flat)
        lines = ops.reshape(flat, (batch, depth, height * width, channels))
        pooled = self._over(lines, (self._size[0], 1), (self._strides[0], 1))
        found = (batch, ops.shape(pooled)[1], height, width, channels)
        # A compiled function keeps the sizes that are known; layers behind this one build on them.
        known = self.compute_output_spec(inputs).shape
        return ops.reshape(pooled, [size or at_run_time for size, at_run_time in zip(known, found, strict=True)])

    def _over(self, x: Any, size: tuple[int, ...], strides: tuple[int, ...]) -> Any:
        return self._pool(x, size, strides, padding=self._padding, data_format="channels_last")

    def compute_output_spec(self, inputs: Any) -> Any:
        volume = keras.KerasTensor(inputs.shape, dtype="float32")
        shape = self._pool(volume, self._size, self._strides, padding=self._padding, data_format="channels_last").shape
        return keras.KerasTensor(shape, dtype=inputs.dtype)
