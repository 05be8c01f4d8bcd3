"""A Keras model as a function of arrays: what an exported model is held against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

__all__ = ["answering"]

_Arrays = Mapping[str, NDArray[Any]]


def answering(model: keras.Model) -> Callable[[_Arrays], dict[str, NDArray[Any]]]:
    """The model's answers, by name, to batches of any size.

    On TensorFlow the model is compiled with its batch size left open: run eagerly, Keras 3.15.1 adds wrongly where the batch
    size happens to be that of another axis (``ops.add`` takes (1, 4, 1) for a bias of (1, 4, 4)'s last axis). That nothing is
    trained is said: a layer that changes pictures takes the contrary for granted, and passes it on to the layers behind it.
    """
    run: Callable[[Any], Any] = partial(model, training=False)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        signature = {name: tf.TensorSpec(tensor.shape, tensor.dtype) for name, tensor in model.input.items()}
        run = tf.function(run, input_signature=[signature])
    return lambda inputs: {name: np.asarray(keras.ops.convert_to_numpy(value)) for name, value in run(dict(inputs)).items()}
