"""Builds the Keras functional model of a graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import keras

from nnspec.graph.model import Graph, Node, Ref
from nnspec.keras_backend.call import Call
from nnspec.keras_backend.layers import KnownSizes, Masked
from nnspec.keras_backend.lower import lower
from nnspec.keras_backend.names import keras_name, name_operations
from nnspec.keras_backend.objects import keras_object
from nnspec.keras_backend.plugin import check_facts, is_plugin
from nnspec.keras_backend.seeds import Seeds
from nnspec.keras_backend.weights import owners, variables
from nnspec.layers.plugin import guarded
from nnspec.types import Config, Dim, TensorType


def to_keras(graph: Graph, *, seed: int | None = None) -> keras.Model:
    """Builds the Keras functional model of a graph.

    The model takes a dict of tensors by the graph's input names, with ``NAME_mask`` for an input's mask, and returns a dict by
    its output names, even if there is only one. Its layers have their nodes' names, with ``.`` for ``/``. It consists of
    Keras's own layers and operations if Keras has them: saved as ``.keras``, it then loads without this package. Otherwise it
    loads after ``import nnspec.keras_backend``.

    Args:
        graph: The graph.
        seed: The seed of initial weights and dropout. Those of a layer depend only on this seed and its name.

    Returns:
        The model, with initial weights.

    Example:
        ``to_keras(compile(load("lenet5.nnspec.yaml")).main, seed=7)({"image": images})["digit"]``
    """
    model = _model(graph, seed, {})
    if seed is not None:
        draw_again(variables(model, graph), graph, seed)
    for node, keras_layer in owners(model, graph):
        if node.frozen:
            keras_layer.trainable = False
    return model


def _model(graph: Graph, seed: int | None, calls: dict[tuple[str, str], Call]) -> keras.Model:
    """Builds the model of a graph, or of the body of a node.

    Args:
        graph: The graph.
        seed: The seed of initial weights and dropout.
        calls: The layers that have been built, by operation and weights: a network inside and outside a body has one copy.
    """
    inputs = _inputs(graph)
    tensors = {Ref(name): _masked(name, inputs) for name in graph.inputs}
    types: dict[tuple[str, str], list[Mapping[str, TensorType]]] = {}
    for node in graph.nodes.values():
        types.setdefault((node.op, node.weights_at), []).append(node.input_types)
    for node in graph.nodes.values():
        at = node.op, node.weights_at
        if at not in calls:
            body = None if node.body is None else partial(_model, node.body, seed, calls)
            calls[at] = lower(node.layer, keras_name(node.weights_at), Seeds(seed, node.weights_at), body, tuple(types[at]))
        given = {port: tensors[ref] for port, ref in _in_order(node).items()}
        call = partial(calls[at], **node.layer.at_call)
        result = guarded(node.layer, "its Keras layer", call, given) if is_plugin(node.layer) else call(given)
        tensors |= _outputs(node, result)
    outputs = {name: tensors[ref] for name, ref in graph.outputs.items()}
    names = {keras_name(node.weights_at) for node in graph.nodes.values()}
    name_operations(outputs.values(), names | set(inputs))
    model = keras.Model(inputs, outputs, name=keras_name(graph.name))
    for node in graph.nodes.values():
        if is_plugin(node.layer):
            owned = model.get_layer(keras_name(node.weights_at)).weights
            check_facts(node, [tensors[Ref(node.name, output)] for output in node.outputs], owned)
    return model


def _inputs(graph: Graph) -> dict[str, Any]:
    """The inputs, each followed by its mask if it has one."""
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
    """A node's inputs in the order of its ports."""
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
        found[Ref(node.name, output)] = tensor if is_plugin(node.layer) else _with_known_sizes(tensor, type_.shape, name)
    return found


def _with_known_sizes(tensor: Any, shape: Sequence[int | Dim], name: str) -> Any:
    """Declares sizes that the typed graph knows and Keras does not, such as that of a slice of the last three steps.

    Args:
        tensor: The symbolic Keras tensor.
        shape: The typed shape, without the batch axis.
        name: The name of the layer that declares the sizes, if one is needed.
    """
    wanted = [size if isinstance(size, int) else None for size in shape]
    lost = any(size is not None and got is None for size, got in zip(wanted, tensor.shape[1:], strict=True))
    return KnownSizes(wanted, name=name, dtype=tensor.dtype)(tensor) if lost else tensor


def draw_again(variables: Mapping[str, Any], graph: Graph, seed: int) -> None:
    """Draws them again with the build's seed, which Keras does not use for them, such as AdditiveAttention's scale.

    Args:
        variables: The model's weights by the spec's names.
        graph: The model's graph.
        seed: The build's seed.
    """
    for identity, weight, node in graph.weights():
        first = weight.initializer
        if first is not None and "seed" in type(first).model_fields and not any(first is own for own in _inside(node.layer)):
            seeds = Seeds(seed, node.weights_at).within(weight.name)
            variables[identity].assign(keras_object(first, seeds)(weight.shape, dtype=variables[identity].dtype))


def _inside(config: Config) -> Iterator[Config]:
    """The configs among a config's arguments, and recursively among theirs."""
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, Config):
            yield value
            yield from _inside(value)
