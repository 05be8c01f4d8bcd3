"""A dense layer along any axes, where Keras's own forgets sizes that it could know."""

from __future__ import annotations

from typing import Any

import keras

__all__ = ["EinsumDense"]


@keras.saving.register_keras_serializable("nnspec")
class EinsumDense(keras.layers.EinsumDense):  # type: ignore[misc]
    """Keras's, with an equation without ``...``.

    Keras 3.15.1 takes what ``output_shape`` leaves open as unknown, also where the input's size is a number, and turns the
    order of axes that ``...`` stands for. It also adds a bias of an axis before the last to the last, where both have one size.
    """

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if self.bias is None or len(self.bias.shape) == 1:
            return super().call(inputs, training=training)
        # ``ops.add`` takes (2, 1) for a bias of the last axis where that is 2, on TensorFlow; a difference has no shortcut.
        x = keras.ops.subtract(keras.ops.einsum(self.equation, inputs, self.kernel), keras.ops.negative(self.bias))
        return x if self.activation is None else self.activation(x)

    def compute_output_shape(self, input_shape: Any) -> Any:
        before, _, output = self.equation.partition("->")
        known = dict(zip(before.partition(",")[0], input_shape, strict=True))
        sizes = super().compute_output_shape(input_shape)
        return tuple(known.get(letter, size) for letter, size in zip(output, sizes, strict=True))
