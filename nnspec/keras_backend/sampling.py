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
        return_divergence: Whether to give ``[draw, divergence]``, this each example's from the standard normal, in nats.
        seed: Of the draws.
        **arguments: Keras's of ``Layer``.
    """

    def __init__(self, return_divergence: bool = False, seed: int | None = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.return_divergence = return_divergence
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        mean, log_variance = inputs
        drawn = self._draw(mean, log_variance) if training else ops.copy(mean)
        if not self.return_divergence:
            return drawn
        each = ops.square(mean) + ops.exp(log_variance) - 1 - log_variance
        return [drawn, ops.sum(each, axis=tuple(range(1, len(mean.shape)))) / 2]

    def _draw(self, mean: Any, log_variance: Any) -> Any:
        noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.generator)
        return mean + ops.exp(log_variance / 2) * noise

    def compute_output_shape(self, input_shape: Any) -> Any:
        drawn = input_shape[0]
        return [drawn, drawn[:1]] if self.return_divergence else drawn

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "return_divergence": self.return_divergence, "seed": self.seed}
