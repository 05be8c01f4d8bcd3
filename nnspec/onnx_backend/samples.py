"""Random inputs of a graph: several batch sizes, two values of each free size, all kinds of padding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from nnspec.diagnostics import NnspecError
from nnspec.graph.model import Graph, Ref
from nnspec.graph.tables import table_rows
from nnspec.layers.base import LayerError
from nnspec.layers.compute import Compute
from nnspec.layers.interfaces import ChoosesByIndex, TakesBoxes
from nnspec.onnx_backend.index_values import known_size, valid_values
from nnspec.types import Dim, TensorType, substitute, symbols_of
from nnspec.types.solving import sample

BATCHES = (1, 2, 5)

_MANY = 32
_MISSING = 1 / 8
"""The share of missing boxes."""

_CHEAP = 100_000_000
"""The maximum number of multiply-accumulates of a large batch."""

_LENGTHS = (7, 12, 5, 16, 24, 32, 48, 64, 96, 128, 3, 2, 160, 192, 224, 256, 1)
"""Candidates for free sizes; the first that all layers accept are used."""


def draw(
    graph: Graph, *, seed: int = 0, empty_rows: bool = True, batches: Sequence[int] = BATCHES
) -> Iterator[dict[str, NDArray[np.generic]]]:
    """Draw batches of random inputs, by name.

    Args:
        graph: The graph.
        seed: The seed of the random inputs.
        empty_rows: Whether to include examples of only padding.
        batches: The batch sizes, for each choice of free sizes.

    Raises:
        NnspecError: If no sizes are found that all layers accept.
    """
    rng = np.random.default_rng(seed)
    masked = any(type.mask is not None for node in graph.nodes.values() for type in node.outputs.values())
    boxes = set(_boxes(graph))
    for free in sizes(graph):
        bounds = table_rows(graph) | _by_size(graph, free)
        for ref, count in _in_expressions(graph, free):
            bounds[ref] = min(count, bounds.get(ref, count))
        valid = valid_values(graph, free)
        for batch in batches:
            inputs = {}
            for name, type in graph.inputs.items():
                shape = (batch, *(known_size(size, free) for size in type.shape))
                # With masks, 0 is padding; it is inserted below.
                if Ref(name) in boxes:
                    inputs[name] = drawn_boxes(rng, shape).astype(type.dtype)
                else:
                    inputs[name] = _elements(rng, shape, type, bounds.get(Ref(name)), valid.get(name), low=int(masked))
                if masked and type.is_integer:
                    inputs[name] = np.where(_kept(rng, shape, empty_rows), inputs[name], 0).astype(inputs[name].dtype)
                if type.mask is not None:
                    inputs[f"{name}_mask"] = _kept(rng, (batch, *(known_size(size, free) for size in type.mask)), empty_rows)
            yield inputs


def draw_many(graph: Graph, *, seed: int = 0, empty_rows: bool = True) -> Iterator[dict[str, NDArray[np.generic]]]:
    """Draw larger batches, if the network is cheap: some faults affect one example in ten.

    Args:
        graph: The graph.
        seed: The seed of the random inputs.
        empty_rows: Whether to include examples of only padding.
    """
    macs = [substitute(graph.macs, free) for free in sizes(graph)]
    if all(isinstance(count, int) and count * _MANY <= _CHEAP for count in macs):
        yield from draw(graph, seed=seed + 1, empty_rows=empty_rows, batches=(_MANY,))


def _by_size(graph: Graph, free: Mapping[str, int]) -> dict[Ref, int]:
    """The number of choices of each index tensor, if it depends on a free size."""
    return {
        node.inputs[port]: known_size(count, free)
        for node in graph.nodes.values()
        if isinstance(node.layer, ChoosesByIndex)
        for port, count in node.layer.choices(node.input_types).items()
        if isinstance(count, Dim)
    }


def _in_expressions(graph: Graph, free: Mapping[str, int]) -> Iterator[tuple[Ref, int]]:
    """Yield the tensors that expressions use as indices, with the number of positions: others have no defined result."""
    for node in graph.nodes.values():
        if isinstance(node.layer, Compute):
            for port, counts in node.layer.positions(node.input_types).items():
                yield from ((node.inputs[port], known_size(count, free)) for count in counts)


def _boxes(graph: Graph) -> Iterator[Ref]:
    """Yield the tensors that layers use as boxes."""
    for node in graph.nodes.values():
        if isinstance(node.layer, TakesBoxes):
            yield from (ref for port, ref in node.inputs.items() if port in node.layer.box_ports)


def drawn_boxes(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Draw boxes of up to 24 pixels in an image of 32, some of which are partly outside; one in eight is a row of −1.

    Args:
        rng: The source of random numbers.
        shape: The shape, whose last size is 4.
    """
    lead = shape[:-1]
    low = rng.uniform(-4, 28, (*lead, 2))
    boxes = np.concatenate([low, low + rng.uniform(1, 24, (*lead, 2))], axis=-1)
    return np.where(rng.random((*lead, 1)) < _MISSING, -1, boxes).astype(np.float32)


def sizes(graph: Graph) -> list[dict[str, int]]:
    """Choose two assignments of free sizes that every layer accepts, as different as possible; one if nothing is free.

    Raises:
        NnspecError: If none is found.
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
        if start == len(_LENGTHS):  # valid sizes are rare: try the neighbors of those found
            wanted = [{name: max(1, size + by) for name, size in choice.items()} for choice in found for by in (1, -1)]
        for lengths in wanted:
            choice = sample(names, graph.conditions, graph.conditions.relations, lengths)
            if choice is not None and choice not in found and _is_taken(graph, choice):
                found.append(choice)
                break
        if len(found) == 2:
            return found
    if not found:
        raise NnspecError(f"found no sizes {', '.join(names)} up to {max(_LENGTHS)} that every layer accepts")
    return found


def _is_taken(graph: Graph, free: Mapping[str, int]) -> bool:
    """Whether every layer accepts these sizes."""
    types = {Ref(name): type.with_sizes(free) for name, type in graph.inputs.items()}
    try:
        for node in graph.nodes.values():
            outputs = node.layer.output_types({port: types[ref] for port, ref in node.inputs.items()})
            types |= {Ref(node.name, output): type for output, type in outputs.items()}
    except LayerError:
        return False
    # A layer may treat known sizes differently from free ones; `room` states the requirements for free ones.
    room = [size for node in graph.every_node() for size in node.layer.room(node.input_types) if isinstance(size, Dim)]
    shapes = [size for type in types.values() for size in type.shape]
    return all(isinstance(size, Dim) or size > 0 for size in (*shapes, *(substitute(size, free) for size in room)))


def _elements(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    type: TensorType,
    bound: int | None,
    valid: NDArray[np.int32] | None,
    *,
    low: int,
) -> NDArray[np.generic]:
    if type.dtype == "bool":
        return rng.random(shape) < 0.5
    if type.is_integer:
        high = bound or 100
        kept = np.arange(min(low, high - 1), high) if valid is None else _within(valid, low, bound)
        return kept[_spread(rng, 0, len(kept), prod(shape))].reshape(shape).astype(type.dtype)
    dtype = "float32" if type.dtype == "bfloat16" else type.dtype
    return rng.standard_normal(shape).astype(dtype)


def _within(valid: NDArray[np.int32], low: int, bound: int | None) -> NDArray[np.int32]:
    """Return the valid values within the bounds; all if there is none."""
    kept = valid[(valid >= low) & (valid < (bound or valid[-1] + 1))]
    return kept if len(kept) else valid


def _spread(rng: np.random.Generator, low: int, high: int, count: int) -> NDArray[np.int64]:
    """Draw mostly distinct integers: a fault in one row of a table has an effect only if that row is looked up.

    A quarter of them are repeats.
    """
    different = min(high - low, count - count // 4)
    chosen = np.concatenate(
        [low + rng.choice(high - low, different, replace=False), rng.integers(low, high, count - different)]
    )
    return rng.permutation(chosen)


def _kept(rng: np.random.Generator, shape: tuple[int, ...], empty_rows: bool) -> NDArray[np.bool_]:
    """The elements that are not padding. Rows cycle through: right padding, holes, none, left padding, all padding."""
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
