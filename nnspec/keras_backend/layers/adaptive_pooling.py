"""Adaptive pooling over axes whose size is only known at run time; Keras needs it when the graph is built."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["AdaptivePooling"]


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
