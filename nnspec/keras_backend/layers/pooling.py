"""Pooling of volumes in float64, for which TensorFlow 2.21 has no kernel."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["Pooling3D"]


class Pooling3D(keras.layers.Layer):  # type: ignore[misc]
    """Computes ``MaxPooling3D`` or ``AveragePooling3D`` by pooling each slice, and then across slices.

    Args:
        reduction: ``max`` or ``mean``.
        pool_size: The window's size along each spatial axis.
        strides: The stride along each spatial axis.
        padding: ``valid`` or ``same``.
        **arguments: Arguments of Keras's ``Layer``.
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
        # Known sizes stay known in a compiled function: later layers need them when they are built.
        known = self.compute_output_spec(inputs).shape
        return ops.reshape(pooled, [size or at_run_time for size, at_run_time in zip(known, found, strict=True)])

    def _over(self, x: Any, size: tuple[int, ...], strides: tuple[int, ...]) -> Any:
        return self._pool(x, size, strides, padding=self._padding, data_format="channels_last")

    def compute_output_spec(self, inputs: Any) -> Any:
        volume = keras.KerasTensor(inputs.shape, dtype="float32")
        shape = self._pool(volume, self._size, self._strides, padding=self._padding, data_format="channels_last").shape
        return keras.KerasTensor(shape, dtype=inputs.dtype)
