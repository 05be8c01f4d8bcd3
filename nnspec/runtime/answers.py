"""A Keras model as a function of arrays: what an exported model is held against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from nnspec.graph import Graph
from nnspec.keras_backend import set_weight_arrays, to_keras
from nnspec.keras_backend.calls import mask_of

__all__ = ["answering", "in_keras"]

_Arrays = Mapping[str, NDArray[Any]]
_Run = Callable[[_Arrays], dict[str, NDArray[Any]]]


def in_keras(graph: Graph, weights: _Arrays, *, masks: bool = False) -> _Run:
    """A network's answers as Keras gives them.

    Args:
        graph: The network.
        weights: Arrays by the spec's names; those of other networks are left out.
        masks: Whether an output's mask is given too, as ``NAME_mask``, where it has one.
    """
    model = to_keras(graph, seed=1)
    set_weight_arrays(model, graph, graph.own(weights))
    return answering(model, masks=masks)


def answering(model: keras.Model, *, masks: bool = False) -> _Run:
    """The model's answers, by name, to batches of any size.

    On TensorFlow the model is compiled with its batch size left open: run eagerly, Keras 3.15.1 adds wrongly where the batch
    size happens to be that of another axis (``ops.add`` takes (1, 4, 1) for a bias of (1, 4, 4)'s last axis). That nothing is
    trained is said: a layer that changes pictures takes the contrary for granted, and passes it on to the layers behind it.

    Args:
        model: What is run.
        masks: Whether an output's mask is given too, as ``NAME_mask``, where it has one.
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
