"""Which layers of a Keras model train."""

from __future__ import annotations

from collections.abc import Collection

import keras

from nnspec.graph import Graph
from nnspec.keras_backend.names import keras_name

__all__ = ["freeze"]


def freeze(model: keras.Model, graph: Graph, places: Collection[str]) -> None:
    """Keeps the weights of some layers from training, beside those that the network itself keeps, and lets all others train.

    A frozen batch normalization infers: it goes by its running averages.

    Args:
        model: What [`to_keras`][] made of the graph.
        graph: The network.
        places: Where the weights stand.
    """
    for node in graph.nodes.values():
        if node.weights:
            model.get_layer(keras_name(node.weights_at)).trainable = not (node.frozen or node.weights_at in places)
