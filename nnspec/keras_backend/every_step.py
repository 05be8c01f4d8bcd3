"""A layer at every time step, where Keras's own ``TimeDistributed`` fails."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

__all__ = ["EveryStep"]


@keras.saving.register_keras_serializable("nnspec")
class EveryStep(keras.layers.TimeDistributed):  # type: ignore[misc]
    """``TimeDistributed`` with batch and time as one axis.

    Keras 3.15.1 runs as many steps as the batch has rows where the number of steps is not known beforehand, and each step
    on its own where it is: this is right for both, and faster.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        given: dict[str, Any] = {}
        if self.layer._call_has_mask_arg and mask is not None and len(mask.shape) > 2:
            given["mask"] = _rows(mask)
        if self.layer._call_has_training_arg:
            given["training"] = training
        outputs = self.layer.call(_rows(inputs), **given)
        return ops.reshape(outputs, (-1, ops.shape(inputs)[1], *ops.shape(outputs)[1:]))


def _rows(tensor: Any) -> Any:
    return ops.reshape(tensor, (-1, *ops.shape(tensor)[2:]))
