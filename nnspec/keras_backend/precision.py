"""Models in float64, to compare computations if float32 is not precise enough."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import keras

from nnspec.graph.model import Graph, Node
from nnspec.types import TensorType


def is_float64() -> bool:
    """Whether Keras builds layers in float64."""
    return bool(keras.config.floatx() == "float64")


@contextmanager
def in_float64() -> Iterator[None]:
    """Keras builds and runs layers in float64 within this context."""
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)


def widened(graph: Graph) -> Graph:
    """Returns the network with float64 in place of float32 tensors.

    Args:
        graph: The network.
    """
    return replace(graph, inputs=_types(graph.inputs), nodes={name: _node(node) for name, node in graph.nodes.items()})


def _node(node: Node) -> Node:
    body = None if node.body is None else widened(node.body)
    node = node if body is None else replace(node, layer=node.layer.with_body(body))
    return replace(node, input_types=_types(node.input_types), outputs=_types(node.outputs))


def _types(types: Mapping[str, TensorType]) -> dict[str, TensorType]:
    return {name: replace(type, dtype="float64") if type.dtype == "float32" else type for name, type in types.items()}
