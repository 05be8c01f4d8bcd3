"""A mask that comes in beside a tensor, as an input of its own, becomes that tensor's mask."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["Masked"]


@keras.saving.register_keras_serializable("nnspec")
class Masked(keras.layers.Layer):  # type: ignore[misc]
    """From ``[tensor, mask]`` to the tensor with its mask. Keras has no layer that gives a mask it did not compute."""

    def call(self, inputs: Any) -> Any:
        return ops.copy(inputs[0])

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        del previous_mask
        return inputs[1]

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0]
