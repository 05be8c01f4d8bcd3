"""Position encodings, trainable and fixed, for which Keras has no layers."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("nnspec")
class PositionEmbedding(keras.layers.Layer):  # type: ignore[misc]
    """Adds a trainable vector to each time step.

    Args:
        max_length: Number of positions.
        embeddings_initializer: Initializer of the vectors.
        embeddings_regularizer: Regularizer of the vectors.
        embeddings_constraint: Constraint of the vectors.
        **arguments: Arguments of Keras's ``Layer``.
    """

    def __init__(
        self,
        max_length: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.supports_masking = True
        self.max_length = max_length
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)
        self.embeddings_regularizer = keras.regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = keras.constraints.get(embeddings_constraint)

    def build(self, input_shape: Any) -> None:
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.max_length, input_shape[-1]),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )

    def call(self, inputs: Any) -> Any:
        return inputs + self.embeddings[: ops.shape(inputs)[1]]

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        given = {
            "max_length": self.max_length,
            "embeddings_initializer": keras.initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": keras.regularizers.serialize(self.embeddings_regularizer),
            "embeddings_constraint": keras.constraints.serialize(self.embeddings_constraint),
        }
        return {**super().get_config(), **given}


@keras.saving.register_keras_serializable("nnspec")
class SinusoidalPositionEncoding(keras.layers.Layer):  # type: ignore[misc]
    """Adds sines and cosines of the position to each time step.

    Args:
        max_wavelength: The longest wavelength divided by 2π.
        **arguments: Arguments of Keras's ``Layer``.
    """

    def __init__(self, max_wavelength: float = 10000.0, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.supports_masking = True
        self.max_wavelength = max_wavelength

    def call(self, inputs: Any) -> Any:
        features = inputs.shape[-1]
        positions = ops.cast(ops.arange(ops.shape(inputs)[1]), inputs.dtype)[:, None]
        rates = [self.max_wavelength ** -(2 * (i // 2) / features) for i in range(features)]
        angles = positions * ops.convert_to_tensor(rates, inputs.dtype)
        even = ops.convert_to_tensor([i % 2 == 0 for i in range(features)])
        return inputs + ops.where(even, ops.sin(angles), ops.cos(angles))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "max_wavelength": self.max_wavelength}
