"""Pooling of volumes in float64, for which TensorFlow 2.21 has no kernel."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


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


@keras.saving.register_keras_serializable("nnspec")
class AdaptivePooling(keras.layers.Layer):  # type: ignore[misc]
    """Pools any number of positions to a fixed number, as Keras's adaptive poolings do.

    Args:
        output_size: Number of output positions along each spatial axis.
        reduction: ``mean`` or ``max``.
        **arguments: Arguments of Keras's ``Layer``.
    """

    def __init__(self, output_size: Any, reduction: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.output_size = tuple(output_size)
        self.reduction = reduction

    def call(self, inputs: Any) -> Any:
        x = inputs
        for axis, count in enumerate(self.output_size, 1):
            x = self._along(x, axis, count)
        return x

    def _along(self, x: Any, axis: int, count: int) -> Any:
        """Pools one axis. Its windows are gathered along a new axis; shorter windows repeat their last position."""
        size, output = ops.shape(x)[axis], ops.arange(count, dtype="int32")
        first, behind = output * size // count, ((output + 1) * size + count - 1) // count
        widest = (size + count - 1) // count + 1
        places = first[:, None] + ops.arange(widest, dtype="int32")
        windows = ops.take(x, ops.minimum(places, behind[:, None] - 1), axis=axis)
        if self.reduction == "max":
            return ops.max(windows, axis=axis + 1)
        tail = (1,) * (len(x.shape) - axis - 1)
        inside = ops.reshape(ops.cast(places < behind[:, None], x.dtype), (count, -1, *tail))
        width = ops.reshape(ops.cast(behind - first, x.dtype), (count, *tail))
        return ops.sum(windows * inside, axis=axis + 1) / width

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], *self.output_size, input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_size": self.output_size, "reduction": self.reduction}
