"""Which outputs of a network have a value at each position of an input: a tagger's, one for each word."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from nnspec.graph import Graph
from nnspec.layers.base import LayerError
from nnspec.types import Dim, TensorType, symbol

__all__ = ["aligned_inputs"]


def aligned_inputs(graph: Graph) -> dict[str, tuple[str, ...]]:
    """The inputs of one axis whose positions each output has a value at, by output.

    A size that is a symbol is the same size wherever it stands. A size that is a number may be so by chance, so it is
    replaced by a symbol, which then reaches the output or does not.
    """
    sequences = {name: type_ for name, type_ in graph.inputs.items() if type_.rank == 1}
    found = {}
    for output, type_ in graph.output_types.items():
        length = type_.shape[0] if type_.rank else 0
        same = [name for name, given in sequences.items() if given.shape[0] == length]
        names = tuple(name for name in same if isinstance(length, Dim) or _reaches(graph, name, same, output))
        if names:
            found[output] = names
    return found


def _reaches(graph: Graph, name: str, same: Collection[str], output: str) -> bool:
    """Whether the size of an input is the first size of an output."""
    for freed in ([name], same):
        try:
            length = _sizes(graph, freed)[graph.outputs[output].source][graph.outputs[output].output].shape[0]
        except (LayerError, ValueError, TypeError, KeyError, IndexError, AssertionError):
            continue  # inputs that belong together must be freed together
        return length == _LENGTH
    return False


_LENGTH = symbol("Positions")


def _sizes(graph: Graph, freed: Collection[str]) -> dict[str, dict[str, TensorType]]:
    """The types of all tensors where the length of some inputs is free."""
    types: dict[str, dict[str, TensorType]] = {}
    for name, given in graph.inputs.items():
        shape = (_LENGTH, *given.shape[1:]) if name in freed else given.shape
        types[name] = {"output": replace(given, shape=shape, mask=None)}
    for name, node in graph.nodes.items():
        fed = {port: types[ref.source][ref.output] for port, ref in node.inputs.items()}
        types[name] = {port: replace(made, mask=None) for port, made in node.layer.infer(fed).items()}
    return types
