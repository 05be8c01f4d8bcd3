"""Rewrites the spec of a classifier as that of a fully convolutional network."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from nnspec.diagnostics import NnspecError
from nnspec.graph import Graph
from nnspec.graph.convolutional import Change, NotConvolutional, changes_to_convolutions
from nnspec.graph.model import Node
from nnspec.layers.interfaces import ConvolvedOver
from nnspec.spec import Spec
from nnspec.spec.rewriting import Rewriting, Swap
from nnspec.types import Dim
from nnspec.types.plain import plain

_KEPT = ("nnspec", "name", "description", "weights", "params", "blocks", "networks", "inputs", "layers", "outputs")
_SYMBOLS = {1: ("T",), 2: ("H", "W"), 3: ("D", "H", "W")}


def convolutional_spec(spec: Spec, graph: Graph) -> tuple[dict[str, Any], dict[str, str | None]]:
    """Rewrite the document of a classifier so that it accepts images of any size.

    Args:
        spec: The classifier's spec.
        graph: Its network.

    Returns:
        The document, and the new operation of each changed layer, by the layer's name; None for a removed layer.

    Raises:
        NnspecError: If a layer has no convolutional equivalent, or the document cannot be rewritten.
    """
    try:
        changes = changes_to_convolutions(graph)
    except NotConvolutional as error:
        raise layer_error(error.node, error.reason, error.help) from None
    if spec.document.get("use") is not None:
        raise NnspecError(f"{spec.file} has `use: …`, which cannot be rewritten\n  = help: merge the files first")
    rewriting = Rewriting(copy.deepcopy(spec.document.plain()))
    rewriting.without_starts()
    swaps: dict[str, Swap] = {}
    for change in changes:
        swap = _swap(change)
        if swaps.setdefault(swap.path, swap) != swap:
            raise layer_error(change.node, "represents layers with different conversions", "write a step for each")
    written = {change.node.path: change.node for change in reversed(changes)}
    for path, swap in swaps.items():
        if not rewriting.swap(swap):
            raise layer_error(written[path], "cannot be rewritten in this form", "write a separate step")
    document = rewriting.finish()
    name = f"{spec.name}_fcn"
    document |= {
        "name": name,
        "description": f"{spec.name} as a fully convolutional network (Long et al. 2015), with its weights.",
        "weights": {"file": f"{name}.safetensors"},
    }
    _free(document, graph)
    became = {change.node.name: type(change.layer).__name__ if change.layer else None for change in changes}
    return {key: document[key] for key in _KEPT if key in document}, became


def layer_error(node: Node, reason: str, help: str) -> NnspecError:
    """The error about a layer that prevents the conversion."""
    return NnspecError(f"{node.span}: `{node.name}` ({node.op}) {reason}\n  = help: {help}")


def _swap(change: Change) -> Swap:
    node, layer = change.node, change.layer
    parts = node.name.split("/")
    name = parts[-2] if parts[-1].isdecimal() and len(parts) > 1 else parts[-1]
    if layer is None:
        return Swap(node.path, name, None)
    written = plain(layer)
    arguments: Mapping[str, Any] = {}
    op = written
    if not isinstance(written, str):
        [(op, arguments)] = written.items()
    short = {key: _short(value) for key, value in arguments.items()}
    names = node.layer.slid_names if isinstance(node.layer, ConvolvedOver) else {}
    return Swap(node.path, name, str(op), short, names)


def _short(value: Any) -> Any:
    """A size that is equal along all axes, as one number."""
    if isinstance(value, list) and all(isinstance(size, int) for size in value) and len(set(value)) == 1:
        return value[0]
    return value


def _free(document: dict[str, Any], graph: Graph) -> None:
    """Replace the sizes of the input by free sizes."""
    images = {name: type_ for name, type_ in graph.inputs.items() if type_.rank - 1 in _SYMBOLS}
    if len(graph.inputs) != 1 or not images:
        raise NnspecError(
            "only a network with a single image or series as input can be converted; this one has "
            + ", ".join(f"`{name}` {type_}" for name, type_ in graph.inputs.items())
        )
    [(name, type_)] = images.items()
    declared = document["inputs"][name]
    sizes = declared["shape"] if isinstance(declared, dict) else declared
    symbols = _SYMBOLS[type_.rank - 1]
    free = [str(size) if isinstance(size, Dim) else symbol for size, symbol in zip(type_.shape[:-1], symbols, strict=True)]
    shape = [*free, sizes[-1]]
    document["inputs"][name] = {**declared, "shape": shape} if isinstance(declared, dict) else shape
