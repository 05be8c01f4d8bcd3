"""A draw from normal distributions, which Keras has no layer for."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["Sampling"]


@keras.saving.register_keras_serializable("nnspec")
class Sampling(keras.layers.Layer):  # type: ignore[misc]
    """From ``[mean, log_variance]`` to a draw in training, and to the mean otherwise.

    Args:
        seed: Of the draws.
        **arguments: Keras's of ``Layer``.
    """

    def __init__(self, seed: int | None = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        mean, log_variance = inputs
        if not training:
            return ops.copy(mean)
        noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.generator)
        return mean + ops.exp(log_variance / 2) * noise

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}
