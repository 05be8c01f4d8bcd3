"""Keras models as functions of arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from nnspec.keras_backend.call import mask_of

_Run = Callable[[Mapping[str, NDArray[Any]]], dict[str, NDArray[Any]]]


def keras_run(model: keras.Model, *, masks: bool = False) -> _Run:
    """Turn a Keras model into a function from named arrays to named arrays, for batches of any size.

    On TensorFlow the model is compiled with a free batch size: run eagerly, Keras 3.15.1 adds incorrectly when the batch size
    equals the size of another axis (``ops.add`` takes (1, 4, 1) for a bias of (1, 4, 4)'s last axis). ``training=False`` is
    passed explicitly, because augmentation layers default to training mode and propagate it to the layers after them.

    Args:
        model: The model to run.
        masks: Also return the mask of each output that has one, as ``NAME_mask``.
    """

    def run(inputs: Any) -> dict[str, Any]:
        given = model(inputs, training=False)
        found = {f"{name}_mask": mask_of(value) for name, value in given.items() if masks}
        return {**given, **{name: mask for name, mask in found.items() if mask is not None}}

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        signature = {name: tf.TensorSpec(tensor.shape, tensor.dtype) for name, tensor in model.input.items()}
        run = tf.function(run, input_signature=[signature])
    return lambda inputs: {name: np.asarray(keras.ops.convert_to_numpy(value)) for name, value in run(dict(inputs)).items()}
