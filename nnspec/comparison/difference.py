"""Comparison of two compiled specs: networks, layers, metrics, sections, weights."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from nnspec.comparison.changes import Change, Difference, LayerChange, NetworkChange
from nnspec.comparison.weights import Carried, carried
from nnspec.graph import Graph, Model
from nnspec.graph.model import Node
from nnspec.sections import read_section
from nnspec.spec import Spec
from nnspec.spec.document import SECTIONS
from nnspec.spec.overrides import find
from nnspec.spec.tree import MappingNode
from nnspec.types import Config, TensorType
from nnspec.types.plain import plain


def compare(a: Spec, model_a: Model, b: Spec, model_b: Model) -> Difference:
    """Return the semantic difference of two specs.

    Args:
        a: First spec.
        model_a: Its graphs.
        b: Second spec.
        model_b: Its graphs.
    """
    names = list(dict.fromkeys([*model_b.networks, *model_a.networks]))
    networks = [change for name in names if (change := _network(name, model_a.networks.get(name), model_b.networks.get(name)))]
    sections = {name: tuple(_section(name, a.section(name), b.section(name))) for name in SECTIONS}
    return Difference(
        (a.name, b.name),
        tuple(networks),
        {name: changes for name, changes in sections.items() if changes},
        carried(model_a, model_b),
    )


# --- networks ---------------------------------------------------------------------------------------------------------


def _network(name: str, a: Graph | None, b: Graph | None) -> NetworkChange | None:
    if a is None or b is None:
        return NetworkChange(name, "added" if a is None else "removed")
    change = NetworkChange(name, "changed", _ports(a, b), _layers(a, b), tuple(_values("", _figures(a), _figures(b))))
    return change if change.ports or change.layers or change.figures else None


def _ports(a: Graph, b: Graph) -> tuple[Change, ...]:
    def ports(graph: Graph) -> dict[str, Any]:
        inputs = {name: _type(type_) for name, type_ in graph.inputs.items()}
        outputs = {name: f"{_type(graph.type_of(ref))} from {ref}" for name, ref in graph.outputs.items()}
        return {"inputs": inputs, "outputs": outputs}

    return tuple(_values("", ports(a), ports(b)))


def _type(type_: TensorType) -> str:
    return f"{type_} {type_.dtype}" + (" masked" if type_.mask is not None else "")


def _figures(graph: Graph) -> dict[str, Any]:
    macs = graph.macs
    return {
        "parameters": graph.parameters,
        "trainable_parameters": graph.trainable_parameters,
        "macs": macs if isinstance(macs, int) else str(macs),
    }


def _layers(a: Graph, b: Graph) -> tuple[LayerChange, ...]:
    found: list[LayerChange] = []
    nodes_a, nodes_b = ({node.name: node for node in graph.every_node()} for graph in (a, b))
    for name, node in nodes_b.items():
        before = nodes_a.get(name)
        if before is None:
            found.append(LayerChange(name, "added", node.op))
        elif changes := tuple(_values("", _facts(before, node), _facts(node, before))):
            found.append(LayerChange(name, "changed", node.op, changes))
    found += [LayerChange(name, "removed", node.op) for name, node in nodes_a.items() if name not in nodes_b]
    return tuple(found)


def _facts(node: Node, other: Node) -> dict[str, Any]:
    """Return the comparable values of a layer; arguments only if the other layer has the same operation."""
    same = node.op == other.op
    fields = {name: getattr(node.layer, name) for name in type(node.layer).model_fields}
    # The params of expressions change what is computed, though no spec writes them here.
    arguments = {**node.layer.written, **{name: fields[name] for name in node.layer.derived - {"reads"}}} if same else {}
    sources = [str(ref) for ref in node.inputs.values()]
    facts = {"op": node.op, **arguments, "from": sources, "freeze": node.frozen, "weights at": node.weights_at}
    return {**facts, "shape": str(node.output)}


# --- sections and values ----------------------------------------------------------------------------------------------


def _section(name: str, a: MappingNode | None, b: MappingNode | None) -> Iterator[Change]:
    """Yield the changes in a section. Defaults are filled in, so that writing a default explicitly is no change."""
    before: Any = read_section(name, a)
    after: Any = read_section(name, b)
    if before is None or after is None:  # compare only explicit values
        before, after = (tree.plain() if tree is not None else {} for tree in (a, b))
    for change in _values("", before, after):
        yield Change(change.path, _as_written(a, change.path, change.before), _as_written(b, change.path, change.after))


def _as_written(tree: MappingNode | None, path: str, value: Any) -> Any:
    written = find(tree, path) if tree is not None else None
    return value if written is None else written.plain()


def _values(path: str, before: Any, after: Any) -> Iterator[Change]:
    """Yield each changed value, descending while both sides have the same type."""
    inner = _inside(before), _inside(after)
    if inner[0] is not None and inner[1] is not None and type(before) is type(after):
        for key in dict.fromkeys([*inner[0], *inner[1]]):
            yield from _values(f"{path}.{key}" if path else str(key), inner[0].get(key), inner[1].get(key))
        return
    before, after = plain(before), plain(after)
    if before != after or isinstance(before, bool) is not isinstance(after, bool):
        yield Change(path, before, after)


def _inside(value: Any) -> Mapping[Any, Any] | None:
    if isinstance(value, Config):
        return {name: getattr(value, name) for name in type(value).model_fields}
    return value if isinstance(value, Mapping) else None


_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def as_text(difference: Difference) -> str:
    """Format a difference: ``+`` for added, ``-`` for removed, ``~`` for changed, with ``before → after``."""
    if difference.is_empty:
        return "no differences; all weights carry over"
    lines: list[str] = []
    first, second = difference.names
    if first != second:
        lines.append(f"name: {first} → {second}")
    for network in difference.networks:
        lines += _network_text(network)
    for name, changes in difference.sections.items():
        lines += [name, *(f"  {_change(change)}" for change in changes)]
    return "\n".join([*lines, *_weights(difference.weights)])


def _network_text(network: NetworkChange) -> Iterator[str]:
    title = "layers" if network.name == "main" else f"network {network.name}"
    yield title if network.kind == "changed" else f"{_SIGNS[network.kind]} {title}"
    yield from (f"  {_change(change)}" for change in network.ports)
    for layer in network.layers:
        yield from _layer(layer)
    yield from (f"  {_change(change)}" for change in network.figures)


def _layer(layer: LayerChange) -> Iterator[str]:
    yield f"  {_SIGNS[layer.kind]} {layer.name}  {layer.op}"
    yield from (f"      {_change(change)}" for change in layer.changes)


def _weights(weights: Carried) -> Iterator[str]:
    total = len(weights.carried) + len(weights.started_anew)
    yield "weights"
    yield f"  {len(weights.carried)} of {total} carry over, {weights.parameters:,} parameters"
    yield from (f"  ~ {name}: {reason}" for name, reason in weights.started_anew.items())
    yield from (f"  - {name}: not used in the second spec" for name in weights.left_behind)


def _change(change: Change) -> str:
    return f"{change.path}: {value_text(change.before)} → {value_text(change.after)}"


def value_text(value: Any) -> str:
    """Format a value: large numbers with commas, none for a missing one."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "none" if value is None else json.dumps(value, ensure_ascii=False)
