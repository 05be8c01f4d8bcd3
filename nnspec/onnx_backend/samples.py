"""Inputs to try a graph with, drawn from its types: several batch sizes, two lengths of what is free, every kind of padding."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from nnspec.diagnostics import NnspecError
from nnspec.graph.analysis import total_macs
from nnspec.graph.model import Graph, Ref
from nnspec.graph.tables import table_rows
from nnspec.layers.base import LayerError
from nnspec.layers.interfaces import ChoosesByIndex
from nnspec.types import Dim, TensorType, substitute, symbols_of
from nnspec.types.solving import sample

__all__ = ["BATCHES", "draw", "draw_many", "sizes"]

BATCHES = (1, 2, 5)

_MANY = 32
_CHEAP = 100_000_000
"""Multiply-accumulates that a large batch may take."""

_LENGTHS = (7, 12, 5, 16, 24, 32, 48, 64, 96, 128, 3, 2, 160, 192, 224, 256, 1)
"""Sizes to try for what is free; the first that the layers take are used."""


def draw(
    graph: Graph, *, seed: int = 0, empty_rows: bool = True, batches: Sequence[int] = BATCHES
) -> Iterator[dict[str, NDArray[np.generic]]]:
    """Batches of random inputs, by name.

    Args:
        graph: Whose inputs.
        seed: The same seed gives the same inputs.
        empty_rows: Whether there are examples that are nothing but padding.
        batches: Their sizes, at each choice of the free axes.

    Raises:
        NnspecError: Where no sizes are found that the layers take.
    """
    rng = np.random.default_rng(seed)
    masked = any(type.mask is not None for node in graph.nodes.values() for type in node.outputs.values())
    for free, batch in itertools.product(sizes(graph), batches):
        inputs = {}
        bounds = table_rows(graph) | _by_size(graph, free)
        for name, type in graph.inputs.items():
            shape = (batch, *(_known(size, free) for size in type.shape))
            # With masks 0 is padding, which is placed below.
            inputs[name] = _elements(rng, shape, type, bounds.get(Ref(name)), low=int(masked))
            if masked and type.is_integer:
                inputs[name] = np.where(_kept(rng, shape, empty_rows), inputs[name], 0).astype(inputs[name].dtype)
            if type.mask is not None:
                inputs[f"{name}_mask"] = _kept(rng, (batch, *(_known(size, free) for size in type.mask)), empty_rows)
        yield inputs


def draw_many(graph: Graph, *, seed: int = 0, empty_rows: bool = True) -> Iterator[dict[str, NDArray[np.generic]]]:
    """Larger batches of other random inputs, if the network is cheap: some mistakes show in one example of ten.

    Args:
        graph: Whose inputs.
        seed: The same seed gives the same inputs.
        empty_rows: Whether there are examples that are nothing but padding.
    """
    macs = [substitute(total_macs(graph), free) for free in sizes(graph)]
    if all(isinstance(count, int) and count * _MANY <= _CHEAP for count in macs):
        yield from draw(graph, seed=seed + 1, empty_rows=empty_rows, batches=(_MANY,))


def _by_size(graph: Graph, free: Mapping[str, int]) -> dict[Ref, int]:
    """For each tensor by which something is chosen: out of how many, where a free size decides that."""
    return {
        node.inputs[port]: _known(count, free)
        for node in graph.nodes.values()
        if isinstance(node.layer, ChoosesByIndex)
        for port, count in node.layer.choices(node.input_types).items()
        if isinstance(count, Dim)
    }


def sizes(graph: Graph) -> list[dict[str, int]]:
    """Two choices of all free sizes that every layer takes, different symbols as different as can be; one if nothing is free.

    Raises:
        NnspecError: Where none is found.
    """
    names = sorted(
        set().union(*(symbols_of(size) for type in graph.inputs.values() for size in (*type.shape, *(type.mask or ()))))
    )
    if not names:
        return [{}]
    found: list[dict[str, int]] = []
    for start in range(len(_LENGTHS) + 1):
        wanted = [{name: _LENGTHS[(start + place) % len(_LENGTHS)] for place, name in enumerate(names)}]
        wanted.append(dict.fromkeys(names, _LENGTHS[start % len(_LENGTHS)]))
        if start == len(_LENGTHS):  # sizes that fit are few or far apart: the ones beside those that were found
            wanted = [{name: max(1, size + by) for name, size in choice.items()} for choice in found for by in (1, -1)]
        for lengths in wanted:
            choice = sample(names, graph.conditions, graph.conditions.relations, lengths)
            if choice is not None and choice not in found and _is_taken(graph, choice):
                found.append(choice)
                break
        if len(found) == 2:
            return found
    if not found:
        raise NnspecError(f"no sizes of {', '.join(names)} were found, up to {max(_LENGTHS)}, that every layer takes")
    return found


def _is_taken(graph: Graph, free: Mapping[str, int]) -> bool:
    """Whether every layer takes inputs of these sizes: asked of the layers themselves."""
    types = {Ref(name): type.with_sizes(free) for name, type in graph.inputs.items()}
    try:
        for node in graph.nodes.values():
            outputs = node.layer.output_types({port: types[ref] for port, ref in node.inputs.items()})
            types |= {Ref(node.name, output): type for output, type in outputs.items()}
    except LayerError:
        return False
    # A layer may do something else with sizes that are numbers than with free ones: for those it says what room it needs.
    room = [size for node in graph.nodes.values() for size in node.layer.room(node.input_types) if isinstance(size, Dim)]
    shapes = [size for type in types.values() for size in type.shape]
    return all(isinstance(size, Dim) or size > 0 for size in (*shapes, *(substitute(size, free) for size in room)))


def _known(size: int | Dim, free: Mapping[str, int]) -> int:
    known = substitute(size, free)
    assert isinstance(known, int)
    return known


def _elements(
    rng: np.random.Generator, shape: tuple[int, ...], type: TensorType, bound: int | None, *, low: int
) -> NDArray[np.generic]:
    if type.dtype == "bool":
        return rng.random(shape) < 0.5
    if type.is_integer:
        high = bound or 100
        return _spread(rng, min(low, high - 1), high, prod(shape)).reshape(shape).astype(type.dtype)
    dtype = "float32" if type.dtype == "bfloat16" else type.dtype
    return rng.standard_normal(shape).astype(dtype)


def _spread(rng: np.random.Generator, low: int, high: int, count: int) -> NDArray[np.int64]:
    """Integers of which as many differ as can: an error in one row of a table shows only where that row is looked up.

    A quarter of them repeats others.
    """
    different = min(high - low, count - count // 4)
    chosen = np.concatenate(
        [low + rng.choice(high - low, different, replace=False), rng.integers(low, high, count - different)]
    )
    return rng.permutation(chosen)


def _kept(rng: np.random.Generator, shape: tuple[int, ...], empty_rows: bool) -> NDArray[np.bool_]:
    """Which elements are no padding. By row, padding stands behind, in holes, nowhere, before, everywhere; then again."""
    kept = np.ones(shape, bool)
    if len(shape) < 2:
        return kept
    length = shape[-1]
    for row, part in enumerate(kept):
        cut = length // 3 + 1
        if row % 5 == 0:
            part[..., length - cut :] = False
        elif row % 5 == 1:
            part &= rng.random(part.shape) < 0.6
        elif row % 5 == 3:
            part[..., :cut] = False
        elif row % 5 == 4 and empty_rows:
            part[...] = False
    return kept
