"""From a graph to a Keras functional model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import keras

from nnspec.graph.model import Graph, Node, Ref
from nnspec.keras_backend.calls import Call, lower
from nnspec.keras_backend.first_weights import draw_again
from nnspec.keras_backend.known_sizes import with_known_sizes
from nnspec.keras_backend.masked import Masked
from nnspec.keras_backend.names import keras_name, name_operations
from nnspec.keras_backend.plugin import check_facts, is_plugin
from nnspec.keras_backend.seeds import Seeds
from nnspec.keras_backend.weights import variables
from nnspec.layers.plugin import guarded
from nnspec.types import TensorType

__all__ = ["to_keras"]


def to_keras(graph: Graph, *, seed: int | None = None) -> keras.Model:
    """Builds the Keras functional model of a graph.

    It takes a dict of tensors by the graph's input names, with ``NAME_mask`` for a mask that comes in with one, and gives
    a dict by its output names, also where there is one of them. Its layers bear their nodes' names, with ``.`` for ``/``.
    It is made of Keras's own layers and operations wherever Keras has them: saved as ``.keras`` it then loads in Keras
    alone, and otherwise where this package is imported.

    Args:
        graph: What to build.
        seed: Makes the first weights, and dropout, repeatable: a layer's depend on this and its name alone.

    Returns:
        The model, with first weights.

    Example:
        ``to_keras(compile(load("lenet5.nnspec.yaml")).main, seed=7)({"image": images})["digit"]``
    """
    inputs = _inputs(graph)
    tensors = {Ref(name): _masked(name, inputs) for name in graph.inputs}
    calls: dict[str, Call] = {}
    for node in graph.nodes.values():
        if node.weights_at not in calls:
            calls[node.weights_at] = lower(node.layer, keras_name(node.weights_at), Seeds(seed, node.weights_at))
        given = {port: tensors[ref] for port, ref in _in_order(node).items()}
        call = partial(calls[node.weights_at], **node.layer.at_call)
        result = guarded(node.layer, "its Keras layer", call, given) if is_plugin(node.layer) else call(given)
        tensors |= _outputs(node, result)
    outputs = {name: tensors[ref] for name, ref in graph.outputs.items()}
    names = {keras_name(node.weights_at) for node in graph.nodes.values()}
    name_operations(outputs.values(), names | set(inputs))
    model = keras.Model(inputs, outputs, name=graph.name)
    for node in graph.nodes.values():
        if is_plugin(node.layer):
            owned = model.get_layer(keras_name(node.weights_at)).weights
            check_facts(node, [tensors[Ref(node.name, output)] for output in node.outputs], owned)
    if seed is not None:
        draw_again(variables(model, graph), graph, seed)
    for node in graph.nodes.values():
        if node.frozen and node.weights:
            model.get_layer(keras_name(node.weights_at)).trainable = False
    return model


def _inputs(graph: Graph) -> dict[str, Any]:
    """The inputs, each followed by its mask where it comes with one."""
    found: dict[str, Any] = {}
    for name, kind in graph.inputs.items():
        found[name] = _input(name, kind)
        if kind.mask is not None:
            found[f"{name}_mask"] = _input(f"{name}_mask", TensorType(kind.mask, "bool"))
    return found


def _masked(name: str, inputs: Mapping[str, Any]) -> Any:
    mask = inputs.get(f"{name}_mask")
    return inputs[name] if mask is None else Masked(name=f"{name}.masked", dtype=inputs[name].dtype)([inputs[name], mask])


def _input(name: str, kind: TensorType) -> Any:
    shape = [size if isinstance(size, int) else None for size in kind.shape]
    return keras.Input(shape, dtype=kind.dtype, name=name)


def _in_order(node: Node) -> Mapping[str, Ref]:
    """Its inputs in the order of its ports."""
    ports = node.layer.ports
    order = sorted(node.inputs, key=int) if ports.variadic else [*ports.required, *ports.optional]
    return {port: node.inputs[port] for port in order if port in node.inputs}


def _outputs(node: Node, result: Any) -> dict[Ref, Any]:
    results = result if isinstance(result, (list, tuple)) else [result]
    if is_plugin(node.layer) and len(results) != len(node.outputs):
        check_facts(node, results, ())
    found: dict[Ref, Any] = {}
    for (output, type_), tensor in zip(node.outputs.items(), results, strict=True):
        name = f"{keras_name(node.name)}.{output}.sizes"
        found[Ref(node.name, output)] = tensor if is_plugin(node.layer) else with_known_sizes(tensor, type_.shape, name)
    return found
