"""Outputs with one value per position of an input, such as a tagger's."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from nnspec.graph import Graph
from nnspec.layers.base import LayerError
from nnspec.types import Dim, TensorType, symbol


def aligned_inputs(graph: Graph) -> dict[str, tuple[str, ...]]:
    """Return for each output the 1D inputs whose positions it is aligned with.

    Equal symbolic sizes are the same size. Equal numeric sizes may be a coincidence, so the input's size is replaced by a
    symbol, and shape inference shows whether the symbol reaches the output.
    """
    sequences = {name: type_ for name, type_ in graph.inputs.items() if type_.rank == 1}
    found = {}
    for output, type_ in graph.output_types.items():
        length = type_.shape[0] if type_.rank else 0
        equal = [name for name, type_ in sequences.items() if type_.shape[0] == length]
        names = tuple(name for name in equal if isinstance(length, Dim) or _reaches(graph, name, equal, output))
        if names:
            found[output] = names
    return found


def _reaches(graph: Graph, name: str, equal: Collection[str], output: str) -> bool:
    """Whether the size of an input is the first size of an output."""
    for freed in ([name], equal):
        try:
            length = _sizes(graph, freed)[graph.outputs[output].source][graph.outputs[output].output].shape[0]
        except (LayerError, ValueError, TypeError, KeyError, IndexError, AssertionError):
            continue  # the sizes of inputs that are combined must be freed together
        return length == _LENGTH
    return False


_LENGTH = symbol("Positions")


def _sizes(graph: Graph, freed: Collection[str]) -> dict[str, dict[str, TensorType]]:
    """Infer the types of all tensors with the lengths of some inputs replaced by a symbol."""
    types: dict[str, dict[str, TensorType]] = {}
    for name, type_ in graph.inputs.items():
        shape = (_LENGTH, *type_.shape[1:]) if name in freed else type_.shape
        types[name] = {"output": replace(type_, shape=shape, mask=None)}
    for name, node in graph.nodes.items():
        fed = {port: types[ref.source][ref.output] for port, ref in node.inputs.items()}
        types[name] = {port: replace(made, mask=None) for port, made in node.layer.infer(fed).items()}
    return types
