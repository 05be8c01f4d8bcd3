"""A table of vectors that is read in both directions, with its mask."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["ReversibleEmbedding"]


@keras.saving.register_keras_serializable("nnspec")
class ReversibleEmbedding(keras.layers.ReversibleEmbedding):  # type: ignore[misc]
    """Keras's, whose mask and precision are known before it runs.

    Keras 3.15.1 hangs the mask on the output as it runs, so that a functional model's symbolic tensors are without it, and
    says that the reverse has the layer's precision also where ``reverse_dtype`` is another.
    """

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        if reverse:
            return super().call(inputs, reverse=True)
        return keras.layers.Embedding.call(self, inputs)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """In reverse vectors come in, and no mask goes out."""
        del previous_mask
        vectors = "float" in keras.backend.standardize_dtype(inputs.dtype)
        return ops.not_equal(inputs, 0) if self.mask_zero and not vectors else None

    def compute_output_spec(self, inputs: Any, reverse: bool = False) -> Any:
        given = super().compute_output_spec(inputs, reverse=reverse)
        return keras.KerasTensor(given.shape, dtype=self.reverse_dtype or given.dtype) if reverse else given
