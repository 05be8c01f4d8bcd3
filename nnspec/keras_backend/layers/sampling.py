"""Sampling from normal distributions, for which Keras has no layer."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("nnspec")
class Sampling(keras.layers.Layer):  # type: ignore[misc]
    """Samples from ``[mean, log_variance]`` in training, and returns the mean in inference.

    Args:
        return_divergence: Whether to return ``[sample, divergence]``: each example's KL divergence from the standard normal
            distribution, in nats.
        seed: Seed of the samples.
        **arguments: Arguments of Keras's ``Layer``.
    """

    def __init__(self, return_divergence: bool = False, seed: int | None = None, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.return_divergence = return_divergence
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        mean, log_variance = inputs
        sample = self._sample(mean, log_variance) if training else ops.copy(mean)
        if not self.return_divergence:
            return sample
        each = ops.square(mean) + ops.exp(log_variance) - 1 - log_variance
        return [sample, ops.sum(each, axis=tuple(range(1, len(mean.shape)))) / 2]

    def _sample(self, mean: Any, log_variance: Any) -> Any:
        noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.generator)
        return mean + ops.exp(log_variance / 2) * noise

    def compute_output_shape(self, input_shape: Any) -> Any:
        sample = input_shape[0]
        return [sample, sample[:1]] if self.return_divergence else sample

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "return_divergence": self.return_divergence, "seed": self.seed}
