"""An embedding that also projects vectors back to scores, with fixes of Keras 3.15.1."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("nnspec")
class ReversibleEmbedding(keras.layers.ReversibleEmbedding):  # type: ignore[misc]
    """Keras's layer, with the mask and dtype of its symbolic outputs.

    Keras only attaches the mask when the layer runs, so that symbolic tensors have none, and ignores ``reverse_dtype`` in the
    dtype of the symbolic output.
    """

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        if reverse:
            return super().call(inputs, reverse=True)
        return keras.layers.Embedding.call(self, inputs)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Returns no mask if the inputs are vectors, as they are in reverse."""
        del previous_mask
        vectors = "float" in keras.backend.standardize_dtype(inputs.dtype)
        return ops.not_equal(inputs, 0) if self.mask_zero and not vectors else None

    def compute_output_spec(self, inputs: Any, reverse: bool = False) -> Any:
        given = super().compute_output_spec(inputs, reverse=reverse)
        return keras.KerasTensor(given.shape, dtype=self.reverse_dtype or given.dtype) if reverse else given
