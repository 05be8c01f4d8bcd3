"""What the free sizes of a graph must satisfy, found from its layers, and its shapes in the simplest form under that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import lcm

from nnspec.graph.model import Graph, Node
from nnspec.types import (
    Condition,
    Dim,
    TensorType,
    common_multiple,
    common_remainder,
    least,
    same_size,
    simplify,
    symbols_of,
)

__all__ = ["with_conditions"]


def with_conditions(graph: Graph) -> Graph:
    """The graph with the conditions on its symbols, and with shapes that use them: ``8*(H//8)`` is ``H`` where 8 divides it."""
    if all(isinstance(size, int) for type_ in graph.inputs.values() for size in type_.shape):
        return graph
    conditions = _conditions(graph.nodes.values())
    known = {name: condition for name, condition in conditions.items() if condition.multiple_of > 1}
    if known:
        nodes = {name: _simplified(node, known) for name, node in graph.nodes.items()}
        graph = replace(graph, nodes=nodes)
    return replace(graph, conditions=conditions) if conditions else graph


def _conditions(nodes: Iterable[Node]) -> dict[str, Condition]:
    pairs: list[tuple[int | Dim, int | Dim]] = []
    smallest: dict[str, int] = {}
    for node in nodes:
        pairs += [(a, b) for a, b in node.layer.agreeing_sizes(node.input_types) if same_size(a, b) is None]
        sizes = [size for type_ in node.outputs.values() for size in type_.shape]
        for size in (*sizes, *node.layer.room(node.input_types)):
            if isinstance(size, Dim):
                for name, number in least(size).items():
                    smallest[name] = max(smallest.get(name, 1), number)
    multiples = _multiples(pairs)
    found = {
        name: replace(multiples.get(name, Condition()), at_least=smallest.get(name, 1))
        for name in sorted({*multiples, *smallest})
    }
    return {name: condition for name, condition in found.items() if not condition.is_trivial and _named(name)}


def _multiples(pairs: Iterable[tuple[int | Dim, int | Dim]]) -> dict[str, Condition]:
    """What the symbols must be for both sizes of each pair to be equal, where that can be told."""
    found: dict[str, int] = {}
    alone: dict[str, list[tuple[int | Dim, int | Dim]]] = {}
    no_multiple: set[str] = set()
    for a, b in dict.fromkeys(pairs):
        names = symbols_of(a) | symbols_of(b)
        if len(names) == 1:
            alone.setdefault(min(names), []).append((a, b))
        multiples = common_multiple(a, b)
        if multiples is None and len(names) == 1:
            no_multiple |= names
        for name, multiple in (multiples or {}).items():
            found[name] = lcm(found.get(name, 1), multiple)
    conditions = {name: Condition(multiple_of=multiple) for name, multiple in found.items()}
    for name in no_multiple:
        if _named(name) and (condition := common_remainder(alone[name])) is not None:
            conditions[name] = condition
    return conditions


def _named(name: str) -> bool:
    return not name.startswith("?")


def _simplified(node: Node, known: Mapping[str, Condition]) -> Node:
    inputs = {port: _simpler(type_, known) for port, type_ in node.input_types.items()}
    outputs = {output: _simpler(type_, known) for output, type_ in node.outputs.items()}
    return replace(node, input_types=inputs, outputs=outputs)


def _simpler(type_: TensorType, known: Mapping[str, Condition]) -> TensorType:
    if not any(symbols_of(size) & known.keys() for size in type_.shape):
        return type_
    mask = None if type_.mask is None else tuple(simplify(size, known) for size in type_.mask)
    return replace(type_, shape=tuple(simplify(size, known) for size in type_.shape), mask=mask)
