"""Layers of plug-ins in Keras: their Keras layers are checked against the facts that they declare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from nnspec.graph.model import Node
from nnspec.layers.plugin import guarded, whose
from nnspec.types import Dim, PluginError


def is_plugin(layer: Any) -> bool:
    """Whether a layer defines its own Keras layer."""
    return hasattr(layer, "to_keras")


def plugin_layer(layer: Any, arguments: Mapping[str, Any]) -> keras.layers.Layer:
    """Builds the Keras layer of a plug-in's layer.

    Raises:
        PluginError: If it does not return a Keras layer.
    """
    made = guarded(layer, "`to_keras`", lambda: layer.to_keras(**arguments))
    if not isinstance(made, keras.layers.Layer):
        raise PluginError(f"{whose(layer)}: `to_keras` returns {type(made).__name__}, expected a Keras layer")
    return made


def check_facts(node: Node, outputs: Sequence[Any], owned: Sequence[Any]) -> None:
    """Checks the facts of a plug-in's layer against its Keras layer.

    Args:
        node: The layer's node.
        outputs: Its outputs as symbolic Keras tensors.
        owned: The variables of its Keras layer.

    Raises:
        PluginError: If an output's shape or dtype, or a weight, differs.
    """
    given = [tuple(tensor.shape[1:]) for tensor in outputs]
    declared = [_sizes(type_.shape) for type_ in node.outputs.values()]
    if len(declared) != len(given) or any(not _same(a, b) for a, b in zip(declared, given, strict=True)):
        raise PluginError(f"{whose(node.layer)}: `infer` returns {_text(declared)}, but its Keras layer returns {_text(given)}")
    types = [keras.backend.standardize_dtype(tensor.dtype) for tensor in outputs]
    if types != [type_.dtype for type_ in node.outputs.values()]:
        raise PluginError(
            f"{whose(node.layer)}: the dtypes of `infer` differ from those of its Keras layer, {', '.join(types)}"
        )
    ours = [(weight.name.rpartition("/")[2], weight.shape, weight.trainable) for weight in node.weights]
    theirs = [(variable.name, tuple(variable.shape), variable.trainable) for variable in owned]
    if ours != theirs:
        raise PluginError(f"{whose(node.layer)}: `weights` returns {_list(ours)}, but its Keras layer has {_list(theirs)}")


def _sizes(shape: Sequence[int | Dim]) -> tuple[int | None, ...]:
    return tuple(size if isinstance(size, int) else None for size in shape)


def _same(declared: Sequence[int | None], given: Sequence[int | None]) -> bool:
    """Whether shapes agree; a size that the layer knows may be unknown in Keras."""
    return len(declared) == len(given) and all(b is None or a == b for a, b in zip(declared, given, strict=True))


def _text(shapes: Sequence[Sequence[int | None]]) -> str:
    sizes = [["batch", *("?" if size is None else str(size) for size in shape)] for shape in shapes]
    return ", ".join(f"({', '.join(names)})" for names in sizes)


def _list(weights: Sequence[tuple[str, tuple[int, ...], bool]]) -> str:
    texts = [
        f"`{name}` {' × '.join(map(str, shape)) or 'scalar'}{'' if trains else ' (not trained)'}"
        for name, shape, trains in weights
    ]
    return ", ".join(texts) or "none"
