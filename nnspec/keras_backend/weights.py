"""A model's weights by the spec's names, ``conv2d/kernel``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from nnspec.diagnostics import NnspecError
from nnspec.graph.model import Graph, Node
from nnspec.keras_backend.names import keras_name
from nnspec.types import Weight, closest


def owners(model: keras.Model, graph: Graph) -> Iterator[tuple[Node, Any]]:
    """Yields each node that has weights with its Keras layer, in the graph's order, including the nodes of bodies.

    Args:
        model: The graph's model.
        graph: The graph.
    """
    for node in graph.nodes.values():
        if node.body is not None:
            yield from owners(model.get_layer(keras_name(node.weights_at)).cell, node.body)
        if node.weights:
            yield node, model.get_layer(keras_name(node.weights_at))


def variables(model: keras.Model, graph: Graph) -> dict[str, Any]:
    """Returns every variable that is a weight, by the spec's name, in the graph's order.

    Args:
        model: The graph's model, from [`to_keras`][].
        graph: The graph, which has the names.

    Raises:
        NnspecError: If the model's weights are not the graph's.
    """
    found: dict[str, Any] = {}
    for node, keras_layer in owners(model, graph):
        if f"{node.weights_at}/{node.weights[0].name}" in found:
            continue
        owned = keras_layer.weights
        _check_order(node.weights_at, node.weights, owned)
        found |= {f"{node.weights_at}/{weight.name}": variable for weight, variable in zip(node.weights, owned, strict=True)}
    return found


def _check_order(place: str, weights: tuple[Weight, ...], owned: list[Any]) -> None:
    ours = [(weight.name.rpartition("/")[2], weight.shape) for weight in weights]
    theirs = [(variable.name, tuple(variable.shape)) for variable in owned]
    if ours != theirs:
        raise NnspecError(f"the model was built from another spec: `{place}` has the weights {theirs}, expected {ours}")


def weight_arrays(model: keras.Model, graph: Graph) -> dict[str, np.ndarray]:
    """Returns every weight's values, by the spec's name, in the graph's order.

    Args:
        model: The graph's model, from [`to_keras`][].
        graph: The graph, which has the names.
    """
    return {name: variable.numpy() for name, variable in variables(model, graph).items()}


def set_weight_arrays(model: keras.Model, graph: Graph, arrays: Mapping[str, np.ndarray]) -> None:
    """Sets every weight. Sets none if any array does not fit.

    Args:
        model: The graph's model, from [`to_keras`][].
        graph: The graph, which has the names.
        arrays: An array for each weight, by the spec's names.

    Raises:
        NnspecError: If a name is missing or unknown, or an array's shape is not its weight's.
    """
    own = variables(model, graph)
    problems = [f"`{name}` is missing" for name in own if name not in arrays]
    problems += [_unknown(name, own) for name in arrays if name not in own]
    for name, variable in own.items():
        if name in arrays and tuple(np.shape(arrays[name])) != tuple(variable.shape):
            problems.append(f"`{name}` has the shape {_sizes(np.shape(arrays[name]))}, expected {_sizes(variable.shape)}")
    if problems:
        raise NnspecError("the weights do not match the model:\n" + "\n".join(f"  {problem}" for problem in problems))
    for name, variable in own.items():
        variable.assign(arrays[name])


def _unknown(name: str, own: Mapping[str, Any]) -> str:
    suggestion = closest(name, own)
    return f"`{name}` is not a weight of the model" + (f"; did you mean `{suggestion}`?" if suggestion else "")


def _sizes(shape: Any) -> str:
    return " × ".join(map(str, shape)) or "a scalar"
