"""Normalization by statistics of the training data, with a fix of Keras 3.15.1."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("nnspec")
class Normalization(keras.layers.Normalization):  # type: ignore[misc]
    """Reads its weights at every call. Keras's layer copies them, so that setting a weight has no effect."""

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
