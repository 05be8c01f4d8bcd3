"""A trainable tensor that depends on no input, for which Keras has no layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("nnspec")
class Parameter(keras.layers.Layer):  # type: ignore[misc]
    """A trainable tensor, repeated for each example of its input.

    Args:
        shape: The tensor's shape.
        initializer: Initializer of the tensor.
        regularizer: Regularizer of the tensor.
        constraint: Constraint of the tensor.
        **arguments: Arguments of Keras's ``Layer``.
    """

    def __init__(
        self,
        shape: Sequence[int],
        initializer: Any = "glorot_uniform",
        regularizer: Any = None,
        constraint: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.shape = tuple(shape)
        self.initializer = keras.initializers.get(initializer)
        self.regularizer = keras.regularizers.get(regularizer)
        self.constraint = keras.constraints.get(constraint)

    def build(self, input_shape: Any) -> None:
        del input_shape
        self.value = self.add_weight(
            name="value",
            shape=self.shape,
            initializer=self.initializer,
            regularizer=self.regularizer,
            constraint=self.constraint,
        )

    def call(self, inputs: Any) -> Any:
        return ops.broadcast_to(self.value, (ops.shape(inputs)[0], *self.shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], *self.shape)

    def get_config(self) -> dict[str, Any]:
        given = {
            "shape": self.shape,
            "initializer": keras.initializers.serialize(self.initializer),
            "regularizer": keras.regularizers.serialize(self.regularizer),
            "constraint": keras.constraints.serialize(self.constraint),
        }
        return {**super().get_config(), **given}
