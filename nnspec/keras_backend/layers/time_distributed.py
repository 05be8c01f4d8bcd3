"""Layers that apply other layers to every time step, with batch and time as one axis."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("nnspec")
class EveryStep(keras.layers.TimeDistributed):  # type: ignore[misc]
    """``TimeDistributed`` with batch and time as one axis.

    Keras 3.15.1 runs as many steps as the batch has rows if the number of steps is not known when the model is built, and
    otherwise runs each step on its own. This class is correct in both cases, and faster.
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


@keras.saving.register_keras_serializable("nnspec")
class Rows(keras.layers.Layer):  # type: ignore[misc]
    """Merges the first two axes. It is a layer because their sizes are only known when the model runs."""

    def call(self, inputs: Any) -> Any:
        return _rows(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (None, *input_shape[2:])


@keras.saving.register_keras_serializable("nnspec")
class StepsToBatch(Rows):
    """Merges batch and time into one axis, also of a mask that has more axes than these."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.of_mask = Rows(name=f"{self.name}.mask")

    def build(self, input_shape: Any) -> None:
        self.of_mask.build(input_shape)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        del inputs
        return self.of_mask(previous_mask) if previous_mask is not None and len(previous_mask.shape) > 2 else None


@keras.saving.register_keras_serializable("nnspec")
class Apart(keras.layers.Layer):  # type: ignore[misc]
    """Splits the first axis of x in ``[like, x]`` into the batch and time axes of ``like``."""

    def call(self, inputs: Any) -> Any:
        like, x = inputs
        return ops.reshape(x, (-1, ops.shape(like)[1], *ops.shape(x)[1:]))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        del inputs, previous_mask

    def compute_output_spec(self, inputs: Any) -> Any:
        like, x = inputs
        return keras.KerasTensor((like.shape[0], like.shape[1], *x.shape[1:]), dtype=x.dtype)


@keras.saving.register_keras_serializable("nnspec")
class BatchToSteps(keras.layers.Layer):  # type: ignore[misc]
    """Splits the first axis of every x in ``[like, x, …]``, and of its mask, into the batch and time axes of ``like``."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.apart = Apart(name=f"{self.name}.apart")

    def build(self, input_shape: Any) -> None:
        self.apart.build(input_shape[:2])

    def call(self, inputs: Any) -> Any:
        like, *outputs = inputs
        return [self.apart.call([like, x]) for x in outputs]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        of_all, *masks = previous_mask or [None] * len(inputs)
        whole = of_all if of_all is not None and len(of_all.shape) == 2 else None
        return [whole if mask is None else self.apart([inputs[0], mask]) for mask in masks]

    def compute_output_spec(self, inputs: Any) -> Any:
        like, *outputs = inputs
        return [self.apart.compute_output_spec([like, x]) for x in outputs]
