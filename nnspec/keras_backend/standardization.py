"""Normalization by statistics of the training data. Keras's holds copies of its weights, which setting them does not reach."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["Normalization"]


@keras.saving.register_keras_serializable("nnspec")
class Normalization(keras.layers.Normalization):  # type: ignore[misc]
    """Keras's layer, which reads its weights whenever it is called: they can be set, restored and swapped like any others."""

    def call(self, inputs: Any) -> Any:
        mean, variance = self.mean, self.variance
        if self.input_mean is None:
            mean, variance = (
                ops.cast(ops.reshape(weight, self._broadcast_shape), self.compute_dtype)
                for weight in (self.adapt_mean, self.adapt_variance)
            )
        deviation = ops.maximum(ops.sqrt(variance), keras.config.epsilon())
        x = ops.cast(inputs, self.compute_dtype)
        return mean + x * deviation if self.invert else (x - mean) / deviation
