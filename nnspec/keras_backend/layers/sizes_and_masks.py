"""Layers that declare a tensor's sizes or attach its mask; the graph builder adds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("nnspec")
class KnownSizes(keras.layers.Layer):  # type: ignore[misc]
    """Returns its input unchanged, with some of its sizes declared.

    Args:
        sizes: The size of each axis after the batch axis; None if it is not known.
        **arguments: Arguments of Keras's ``Layer``.
    """

    def __init__(self, sizes: Sequence[int | None], **arguments: Any) -> None:
        super().__init__(**arguments)
        self.supports_masking = True
        self.sizes = list(sizes)

    def call(self, inputs: Any) -> Any:
        shape = ops.shape(inputs)
        return ops.reshape(inputs, [shape[0], *(shape[i] if s is None else s for i, s in enumerate(self.sizes, 1))])

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], *self.sizes)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "sizes": self.sizes}


@keras.saving.register_keras_serializable("nnspec")
class Masked(keras.layers.Layer):  # type: ignore[misc]
    """Returns the tensor of ``[tensor, mask]`` with that mask. Keras's layers only attach masks that they compute."""

    def call(self, inputs: Any) -> Any:
        return ops.copy(inputs[0])

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        del previous_mask
        return inputs[1]

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0]
