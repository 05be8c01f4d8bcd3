"""A graph's answers as Keras gives them."""

from __future__ import annotations

from nnspec.graph.model import Graph
from nnspec.keras_backend import set_weight_arrays, to_keras
from nnspec.onnx_backend.parity import Arrays, Run
from nnspec.runtime.answers import answering

__all__ = ["in_keras"]


def in_keras(graph: Graph, weights: Arrays, *, masks: bool = False) -> Run:
    """Keras's answers, and their masks if they are wanted.

    Args:
        graph: What is run.
        weights: Its arrays, by the spec's names.
        masks: Whether an output's mask is given too, as ``NAME_mask``.
    """
    model = to_keras(graph, seed=1)
    set_weight_arrays(model, graph, weights)
    return answering(model, masks=masks)
