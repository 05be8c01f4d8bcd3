"""The values of integer inputs for which the indices that a graph computes from them are valid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.functions.evaluation import NumpyRun
from nnspec.functions.terms import Application, Input, Term, in_order
from nnspec.graph.model import Graph, Node, Ref
from nnspec.layers.compute import Compute
from nnspec.layers.interfaces import ChoosesByIndex
from nnspec.types import Dim, substitute

__all__ = ["known_size", "valid_values"]

_CANDIDATES = np.arange(128, dtype=np.int32)
_MOST_ELEMENTS = 1_000_000
_SELECTING = ("take", "take_along_axis")

Known = tuple[NDArray[Any], frozenset[str]]
"""The values of a tensor for each candidate, and the inputs that they are computed from."""


def valid_values(graph: Graph, free: Mapping[str, int]) -> dict[str, NDArray[np.int32]]:
    """Return the values of inputs for which computed indices are in range: others have no defined result.

    Each candidate is tried for all elements of all integer inputs at once.

    Args:
        graph: The graph.
        free: The free sizes.

    Returns:
        The valid candidates, for each input that an index is computed from. Inputs with no valid candidate, or whose index is
        computed by other layers than `Compute`, are left out.
    """
    if not _computes_indices(graph):
        return {}
    known: dict[Ref, Known] = {}
    for name, type_ in graph.inputs.items():
        shape = [known_size(size, free) for size in type_.shape]
        if type_.is_integer and type_.dtype != "bool" and prod(shape) * len(_CANDIDATES) <= _MOST_ELEMENTS:
            column = _CANDIDATES.reshape(-1, *(1,) * len(shape))
            known[Ref(name)] = np.broadcast_to(column, (len(_CANDIDATES), *shape)), frozenset({name})
    valid = {ref.source: np.ones(len(_CANDIDATES), bool) for ref in known}
    for node in graph.nodes.values():
        for values, count in _indices(node, known, free):
            array, names = values
            inside = ((array >= -count) & (array < count)).reshape(len(_CANDIDATES), -1).all(axis=1)
            for name in names:
                valid[name] &= inside
        if isinstance(node.layer, Compute):
            own = _own(node, known)
            for output, term in node.layer.typed(node.input_types).results.items():
                if (result := _computed(term, own)) is not None:
                    known[Ref(node.name, output)] = result
    return {name: _CANDIDATES[each] for name, each in valid.items() if each.any() and not each.all()}


def _computes_indices(graph: Graph) -> bool:
    """Whether an index may be computed: it is a step's output, or an expression selects by it."""
    for node in graph.nodes.values():
        if isinstance(node.layer, ChoosesByIndex):
            if any(node.inputs[port].source in graph.nodes for port in node.layer.choices(node.input_types)):
                return True
        elif isinstance(node.layer, Compute) and any(
            call.function.name in _SELECTING for call in node.layer.typed(node.input_types).applications
        ):
            return True
    return False


def _indices(node: Node, known: Mapping[Ref, Known], free: Mapping[str, int]) -> Iterator[tuple[Known, int]]:
    """Yield the known indices of a node, with the number of positions that they select from."""
    if isinstance(node.layer, ChoosesByIndex):
        for port, count in node.layer.choices(node.input_types).items():
            if node.inputs[port] in known:
                yield known[node.inputs[port]], known_size(count, free)
    elif isinstance(node.layer, Compute):
        own = _own(node, known)
        for call in node.layer.typed(node.input_types).applications:
            if call.function.name in _SELECTING and (values := _computed(call.operands[1], own)) is not None:
                yield values, known_size(call.operands[0].shape[call["axis"]], free)


def _own(node: Node, known: Mapping[Ref, Known]) -> dict[str, Known]:
    """Return the known inputs of a node by port."""
    return {port: known[ref] for port, ref in node.inputs.items() if ref in known}


def _computed(term: Term, own: Mapping[str, Known]) -> Known | None:
    """Return the values of a term; None if it reads an unknown tensor, or one of another kind."""
    terms = in_order([term])
    names = [each.origin.name for each in terms if isinstance(each.origin, Input)]
    draws = any(isinstance(each.origin, Application) and each.origin.function.name.startswith("random_") for each in terms)
    if not names or draws or not term.is_batched or not all(name in own for name in names):
        return None
    try:
        [values] = NumpyRun({name: own[name][0] for name in names})(term)
    except IndexError:  # it selects by an index that is out of range for some candidate
        return None
    return values, frozenset().union(*(own[name][1] for name in names))


def known_size(size: int | Dim, free: Mapping[str, int]) -> int:
    """Return a size, given those that are free.

    Args:
        size: The size.
        free: The free sizes.
    """
    known = substitute(size, free)
    assert isinstance(known, int)
    return known
