"""The file of ejected networks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
from keras.src.backend.common.masking import get_keras_mask, set_keras_mask

from nnspec.ejecting.compute import compute_class
from nnspec.ejecting.functional import Function, calls
from nnspec.ejecting.layout import Code, Group, Named, call, literal, statement, text
from nnspec.ejecting.names import Names, class_name, identifier
from nnspec.ejecting.objects import Objects
from nnspec.ejecting.own_layers import OwnLayers, every_name
from nnspec.graph.model import Graph
from nnspec.keras_backend import to_keras
from nnspec.keras_backend.layers import Compute
from nnspec.keras_backend.names import keras_name
from nnspec.printable import on_one_line

__all__ = ["ejected", "function_name"]

_LOAD = '''
def load_weights(model, path="weights.safetensors"):
    """Set the weights of a model of this file to those of a safetensors file.

    Args:
        model: The model.
        path: The file: `weights.safetensors` beside this file, or that of a run of the same spec.
    """
    from safetensors.numpy import load_file

    arrays = load_file(path)
    layers = {layer.name: layer for layer in model.layers}
    for place, names in WEIGHTS.items():
        name, *inside = place.split("/")
        if name not in layers:
            continue
        layer = layers[name]
        for name in inside:
            layer = layer.cell.get_layer(name)
        for variable, weight in zip(layer.weights, names, strict=True):
            variable.assign(arrays[f"{name.replace('.', '/')}/{weight}"])
'''


def function_name(network: str) -> str:
    """The name of the function that builds a network.

    Example:
        >>> function_name("main"), function_name("critic")
        ('build_model', 'build_critic')
    """
    return "build_model" if network == "main" else f"build_{identifier(network)}"


def ejected(networks: Mapping[str, Graph], name: str) -> str:
    """Write networks as a Python file that builds them with Keras alone.

    Args:
        networks: The networks.
        name: The name of the spec.

    Returns:
        The file's text.

    Raises:
        NnspecError: If a layer cannot be written.
    """
    return _File(name).text(networks)


class _File:
    def __init__(self, name: str) -> None:
        self._name = name
        self._own = OwnLayers()
        self._objects = Objects(self._own, self._inner)
        self._names = Names({"keras", "ops", "WEIGHTS", "load_weights", *every_name()})
        self._classes: dict[str, tuple[str, str]] = {}
        self._functions: list[str] = []
        self._blocks: dict[str, str] = {}
        self._codes: dict[int, Group] = {}
        self._within: list[Function] = []
        self._shared: set[int] = set()
        self._models: list[keras.Model] = []

    def text(self, networks: Mapping[str, Graph]) -> str:
        for network in networks:
            self._names.new(function_name(network))
        weights: dict[str, list[str]] = {}
        for network, graph in networks.items():
            model = to_keras(graph)
            self._models.append(model)  # its layers are known by their ids
            self._shared = _shared_layers(model)
            self._function(function_name(network), model, f"Build the network {_quoted(network)}; its weights are random.")
            weights |= dict(_places(graph))
        title = f"The networks of the spec {_quoted(self._name)}" if len(networks) > 1 else f"The spec {_quoted(self._name)}"
        version = keras.__version__
        first = f'"""{title} as Keras code, written by `nnspec build --eject` for Keras {version}."""'
        used = "\n".join([*(source for _, source in self._classes.values()), *self._own.sources, *self._functions])
        imports = [
            self._own.future,
            "",
            *self._own.imports,
            "",
            "import keras",
            *(["from keras import ops"] if "ops." in used else []),
        ]
        parts = [
            re.sub("\n{3,}", "\n\n", "\n".join([first, "", *imports])),
            *self._own.sources,
            *(source for _, source in self._classes.values()),
            *self._functions,
            statement("WEIGHTS = ", literal(weights), 0)
            + '\n"""The names of the weights of each layer, in order; `a/b` is the layer `b` that the layer `a` runs."""',
            _LOAD.strip(),
        ]
        return "\n\n\n".join(parts) + "\n"

    def _function(self, name: str, model: keras.Model, summary: str) -> Function:
        """Write a function; returns it."""
        names = Names({"keras", "ops", *every_name()})
        function = Function(model, self._constructed, names, self._shared, bool(self._within), self._define)
        self._within.append(function)
        lines = function.lines()
        self._within.pop()
        self._functions.append("\n".join([f"def {name}({', '.join(function.parameters)}):", f'    """{summary}"""', *lines]))
        return function

    def _define(self, wanted: str, body: str) -> str:
        """Define a function, unless an equal one is defined; returns its name."""
        if body not in self._blocks:
            self._blocks[body] = name = self._names.new(wanted)
            self._functions.append(f"def {name}{body}")
        return self._blocks[body]

    def _inner(self, model: keras.Model) -> Code:
        """The code of a model that a layer runs: a call of the function that builds it, or a variable."""
        return self._within[-1].variable_of(model) if id(model) in self._shared else self._built(model)

    def _built(self, model: keras.Model) -> Code:
        name = self._names.new(f"build_{identifier(model.name)}")
        function = self._function(name, model, f"Build the model {_quoted(model.name)}, which a layer runs.")
        return call(name, [self._within[-1].variable_of(layer) for layer in function.parameters.values()])

    def _constructed(self, layer: Any, tail: str | Group) -> Code:
        if isinstance(layer, keras.Model):
            return self._built(layer)
        if not isinstance(layer, Compute):
            if id(layer) not in self._codes:
                self._codes[id(layer)] = self._objects.layer(layer)
            return replace(self._codes[id(layer)], tail=tail)
        calls_of_it = layer._inbound_nodes
        given = list(map(_any_size, zip(*(keras.tree.flatten(each.arguments.args) for each in calls_of_it), strict=True)))
        outputs = list(map(_any_size, zip(*(each.outputs for each in calls_of_it), strict=True)))
        body, named = compute_class(layer, given, outputs)
        if body not in self._classes:
            name = self._names.new(class_name(layer.name))
            self._classes[body] = name, named(name)
        return Group(f"{self._classes[body][0]}(", (Named("name=", text(layer.name)),), tail)


def _any_size(tensors: Sequence[Any]) -> Any:
    """A symbolic tensor for all calls of a layer: sizes that differ are free."""
    sizes = [set(axis) for axis in zip(*(tensor.shape for tensor in tensors), strict=True)]
    if all(len(axis) == 1 for axis in sizes):
        return tensors[0]
    found = keras.KerasTensor([axis.pop() if len(axis) == 1 else None for axis in sizes], dtype=tensors[0].dtype)
    mask = get_keras_mask(tensors[0])
    if mask is not None:
        set_keras_mask(found, keras.KerasTensor([None] * len(mask.shape), dtype="bool"))
    return found


def _shared_layers(model: keras.Model) -> set[int]:
    """The layers that several models run: a model and those that its layers run."""
    homes: dict[int, set[int]] = {}
    waiting, seen = [model], set()
    while waiting:
        each = waiting.pop()
        seen.add(id(each))
        for node in calls(each):
            homes.setdefault(id(node.operation), set()).add(id(each))
            for name in ("cell", "layer"):
                inside = getattr(node.operation, name, None)
                if isinstance(inside, keras.Model):
                    homes.setdefault(id(inside), set()).add(id(node.operation))
                    if id(inside) not in seen:
                        waiting.append(inside)
    return {layer for layer, models in homes.items() if len(models) > 1}


def _places(graph: Graph, before: str = "") -> Any:
    """Yield the place of each layer with weights, and the names of its weights."""
    for node in graph.nodes.values():
        place = before + keras_name(node.weights_at)
        if node.body is not None:
            yield from _places(node.body, f"{place}/")
        if node.weights:
            yield place, [weight.name for weight in node.weights]


def _quoted(name: str) -> str:
    shown = on_one_line(name).replace("\\", "/").replace('"', "'")
    return f"`{shown}`"
