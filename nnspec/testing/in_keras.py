"""A graph's answers as Keras gives them."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from nnspec.graph.model import Graph
from nnspec.keras_backend import set_weight_arrays, to_keras
from nnspec.onnx_backend.parity import Arrays, Run

__all__ = ["in_keras"]


def in_keras(graph: Graph, weights: Arrays, *, masks: bool = False) -> Run:
    """Keras's answers, and their masks if they are wanted, with the batch size left open.

    Run eagerly, Keras 3.15.1 on TensorFlow adds wrongly where the batch size happens to be that of another axis: `ops.add`
    takes (1, 4, 1) for a bias of (1, 4, 4)'s last axis.

    Args:
        graph: What is run.
        weights: Its arrays, by the spec's names.
        masks: Whether an output's mask is given too, as ``NAME_mask``.
    """
    model = to_keras(graph, seed=1)
    set_weight_arrays(model, graph, weights)
    signature = {name: tf.TensorSpec(tensor.shape, tensor.dtype) for name, tensor in model.input.items()}

    def run(inputs: dict[str, Any]) -> dict[str, Any]:
        given = model(inputs, training=False)
        found = {f"{name}_mask": getattr(value, "_keras_mask", None) for name, value in given.items() if masks}
        return {**given, **{name: mask for name, mask in found.items() if mask is not None}}

    function = tf.function(run, input_signature=[signature])
    return lambda inputs: {name: value.numpy() for name, value in function(dict(inputs)).items()}
