"""Pooling of volumes in float64, for which TensorFlow 2.21 has no kernel: each slice is pooled, and then across the slices."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["Pooling3D"]


class Pooling3D(keras.layers.Layer):  # type: ignore[misc]
    """Keras's ``MaxPooling3D`` or ``AveragePooling3D``, by two poolings over fewer axes.

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
        return ops.reshape(pooled, (batch, -1, height, width, channels))

    def _over(self, x: Any, size: tuple[int, ...], strides: tuple[int, ...]) -> Any:
        return self._pool(x, size, strides, padding=self._padding, data_format="channels_last")

    def compute_output_spec(self, inputs: Any) -> Any:
        volume = keras.KerasTensor(inputs.shape, dtype="float32")
        shape = self._pool(volume, self._size, self._strides, padding=self._padding, data_format="channels_last").shape
        return keras.KerasTensor(shape, dtype=inputs.dtype)
