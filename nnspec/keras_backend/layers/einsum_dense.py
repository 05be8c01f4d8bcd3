"""A dense layer along any axes, with fixes of Keras 3.15.1."""

from __future__ import annotations

from typing import Any

import keras

from nnspec.keras_backend.layers.addition import add


@keras.saving.register_keras_serializable("nnspec")
class EinsumDense(keras.layers.EinsumDense):  # type: ignore[misc]
    """Keras's layer for equations without ``...``.

    Keras treats sizes that ``output_shape`` leaves open as unknown even if the input's size is known, and reverses the axes
    that ``...`` stands for. It also adds a bias along another axis to the last axis if both have the same size.
    """

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if self.bias is None or len(self.bias.shape) == 1:
            return super().call(inputs, training=training)
        x = add(keras.ops.einsum(self.equation, inputs, self.kernel), self.bias)
        return x if self.activation is None else self.activation(x)

    def compute_output_shape(self, input_shape: Any) -> Any:
        before, _, output = self.equation.partition("->")
        known = dict(zip(before.partition(",")[0], input_shape, strict=True))
        sizes = super().compute_output_shape(input_shape)
        return tuple(known.get(letter, size) for letter, size in zip(output, sizes, strict=True))
