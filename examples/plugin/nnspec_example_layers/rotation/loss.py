"""The loss of rotation prediction: Keras code on ``keras.ops`` alone, so that it runs on each of its backends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

__all__ = ["RotationLoss"]


class RotationLoss:
    """Rotates each image by 0, 90, 180 and 270 degrees, and compares the logits with the number of quarter turns.

    Args:
        model: The model.
        input_: The input that is rotated.
        output: The output of four logits.
    """

    def __init__(self, model: keras.Model, input_: str, output: str) -> None:
        self._model, self._input, self._output = model, input_, output

    @property
    def variables(self) -> list[Any]:
        """None: nothing is random."""
        return []

    def __call__(self, inputs: Mapping[str, Any], *, training: bool) -> dict[str, Any]:
        images = inputs[self._input]
        turned = [ops.rot90(images, turns, axes=(1, 2)) for turns in range(4)]
        repeated = {name: ops.tile(values, (4,) + (1,) * (len(values.shape) - 1)) for name, values in inputs.items()}
        logits = self._model(repeated | {self._input: ops.concatenate(turned)}, training=training)[self._output]
        turns = ops.repeat(ops.arange(4), ops.shape(images)[0])
        losses = keras.losses.sparse_categorical_crossentropy(turns, logits, from_logits=True)
        right = ops.equal(ops.cast(ops.argmax(logits, -1), turns.dtype), turns)
        return {"loss": ops.mean(losses), "rotation_accuracy": ops.mean(ops.cast(right, "float32"))}

    def restart(self) -> None:
        """Nothing is random."""
