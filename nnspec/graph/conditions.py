"""What the free sizes of a graph must satisfy, found from its layers, and its shapes in the simplest form under that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from nnspec.graph.model import Graph, Node
from nnspec.types import Condition, Dim, TensorType, common_multiple, least, same_size, simplify, symbols_of

__all__ = ["with_conditions"]


def with_conditions(graph: Graph) -> Graph:
    """The graph with the conditions on its symbols, and with shapes that use them: ``8*(H//8)`` is ``H`` where 8 divides it."""
    if all(isinstance(size, int) for type_ in graph.inputs.values() for size in type_.shape):
        return graph
    conditions = _conditions(graph.nodes.values())
    multiples = {name: condition.multiple_of for name, condition in conditions.items() if condition.multiple_of > 1}
    if multiples:
        nodes = {name: _simplified(node, multiples) for name, node in graph.nodes.items()}
        graph = replace(graph, nodes=nodes)
    return replace(graph, conditions=conditions) if conditions else graph


def _conditions(nodes: Iterable[Node]) -> dict[str, Condition]:
    found: dict[str, Condition] = {}

    def add(name: str, condition: Condition) -> None:
        found[name] = found.get(name, Condition()).both(condition)

    for node in nodes:
        for a, b in node.layer.agreeing_sizes(node.input_types):
            if same_size(a, b) is None:
                for name, multiple in (common_multiple(a, b) or {}).items():
                    add(name, Condition(multiple_of=multiple))
        sizes = [size for type_ in node.outputs.values() for size in type_.shape]
        for size in (*sizes, *node.layer.room(node.input_types)):
            if isinstance(size, Dim):
                for name, smallest in least(size).items():
                    add(name, Condition(at_least=smallest))
    return {name: condition for name, condition in sorted(found.items()) if not condition.is_trivial and _named(name)}


def _named(name: str) -> bool:
    return not name.startswith("?")


def _simplified(node: Node, multiples: Mapping[str, int]) -> Node:
    inputs = {port: _simpler(type_, multiples) for port, type_ in node.input_types.items()}
    outputs = {output: _simpler(type_, multiples) for output, type_ in node.outputs.items()}
    return replace(node, input_types=inputs, outputs=outputs)


def _simpler(type_: TensorType, multiples: Mapping[str, int]) -> TensorType:
    if not any(symbols_of(size) & multiples.keys() for size in type_.shape):
        return type_
    mask = None if type_.mask is None else tuple(simplify(size, multiples) for size in type_.mask)
    return replace(type_, shape=tuple(simplify(size, multiples) for size in type_.shape), mask=mask)
