"""Two compiled specs side by side: networks, layers, figures, sections, weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from nnspec.comparison.weights import Carried, carried
from nnspec.graph import Graph, Model
from nnspec.graph.analysis import total_macs
from nnspec.graph.model import Node
from nnspec.spec import Spec, check
from nnspec.spec.overrides import find
from nnspec.spec.tree import MappingNode
from nnspec.types import Config, TensorType
from nnspec.types.plain import plain

__all__ = ["Change", "Difference", "LayerChange", "NetworkChange", "compare"]

SECTIONS = {
    "data": "nnspec.data.section.DataSection",
    "train": "nnspec.training.section.TrainSection",
    "generate": None,
    "export": "nnspec.graph.exported.ExportSection",
    "budget": "nnspec.graph.budget.Budget",
}
"""The sections that are compared, each with the class that knows its defaults."""


@dataclass(frozen=True)
class Change:
    """One value that differs.

    Attributes:
        path: Where, ``filters`` or ``optimizer.learning_rate``.
        before: The value in the first spec; None where it has none.
        after: The same in the second.
    """

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class LayerChange:
    """A layer that only one spec has, or that both have and that differs.

    Attributes:
        name: Its path in the graph.
        kind: ``added``, ``removed`` or ``changed``.
        op: What it runs, in the second spec where that has it.
        changes: What differs: ``op``, ``from``, arguments, ``freeze``, ``shape``.
    """

    name: str
    kind: str
    op: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class NetworkChange:
    """A network that only one spec has, or that both have and that differs.

    Attributes:
        name: ``main`` for the document's own layers.
        kind: ``added``, ``removed`` or ``changed``.
        ports: What differs in its inputs and outputs.
        layers: Its layers that differ, in the order of the second spec, those removed last.
        figures: Its parameters and multiply–accumulates, where they differ.
    """

    name: str
    kind: str
    ports: tuple[Change, ...] = ()
    layers: tuple[LayerChange, ...] = ()
    figures: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Difference:
    """What changed in meaning from one spec to another.

    Attributes:
        names: Both names.
        networks: The networks that differ.
        sections: What differs in each section, by the section's name.
        weights: The weights of the second spec that can start from the first one's.
    """

    names: tuple[str, str]
    networks: tuple[NetworkChange, ...]
    sections: Mapping[str, tuple[Change, ...]]
    weights: Carried

    @property
    def is_empty(self) -> bool:
        """Whether both mean the same."""
        return self.names[0] == self.names[1] and not self.networks and not self.sections

    def as_json(self) -> dict[str, Any]:
        """The form of ``nnspec diff --format json``."""
        return {
            "names": list(self.names),
            "same": self.is_empty,
            "networks": [
                {
                    "name": network.name,
                    "kind": network.kind,
                    "ports": _as_json(network.ports),
                    "layers": [
                        {"name": layer.name, "kind": layer.kind, "op": layer.op, "changes": _as_json(layer.changes)}
                        for layer in network.layers
                    ],
                    "figures": _as_json(network.figures),
                }
                for network in self.networks
            ],
            "sections": {name: _as_json(changes) for name, changes in self.sections.items()},
            "weights": self.weights.as_json(),
        }


def _as_json(changes: tuple[Change, ...]) -> list[dict[str, Any]]:
    return [{"path": change.path, "before": change.before, "after": change.after} for change in changes]


def compare(a: Spec, model_a: Model, b: Spec, model_b: Model) -> Difference:
    """What changed from one spec to another.

    Args:
        a: The first spec.
        model_a: Its graphs.
        b: The second spec.
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
    macs = total_macs(graph)
    return {
        "parameters": graph.parameters,
        "trainable_parameters": graph.trainable_parameters,
        "macs": macs if isinstance(macs, int) else str(macs),
    }


def _layers(a: Graph, b: Graph) -> tuple[LayerChange, ...]:
    found: list[LayerChange] = []
    for name, node in b.nodes.items():
        before = a.nodes.get(name)
        if before is None:
            found.append(LayerChange(name, "added", node.op))
        elif changes := tuple(_values("", _facts(before, node), _facts(node, before))):
            found.append(LayerChange(name, "changed", node.op, changes))
    found += [LayerChange(name, "removed", node.op) for name, node in a.nodes.items() if name not in b.nodes]
    return tuple(found)


def _facts(node: Node, other: Node) -> dict[str, Any]:
    """What a layer is and what comes out; its arguments only where the other runs the same, and can be compared."""
    same = node.op == other.op
    arguments = {name: getattr(node.layer, name) for name in type(node.layer).model_fields} if same else {}
    sources = [str(ref) for ref in node.inputs.values()]
    facts = {"op": node.op, **arguments, "from": sources, "freeze": node.frozen, "weights at": node.weights_at}
    return {**facts, "shape": str(node.output)}


# --- sections and values ----------------------------------------------------------------------------------------------


def _section(name: str, a: MappingNode | None, b: MappingNode | None) -> Iterator[Change]:
    """What differs in a section; what is left out counts as its default, so that writing a default out changes nothing."""
    before: Any = _read(name, a)
    after: Any = _read(name, b)
    if before is None or after is None:  # only what is written, where there is nothing to compare it with
        before, after = (tree.plain() if tree is not None else {} for tree in (a, b))
    for change in _values("", before, after):
        yield Change(change.path, _as_written(a, change.path, change.before), _as_written(b, change.path, change.after))


def _read(name: str, tree: MappingNode | None) -> Config | None:
    known = SECTIONS[name]
    if tree is None or known is None:
        return None
    module, _, config = known.rpartition(".")
    section = check(getattr(import_module(module), config), tree, [], name=name)
    return section if isinstance(section, Config) else None


def _as_written(tree: MappingNode | None, path: str, value: Any) -> Any:
    written = find(tree, path) if tree is not None else None
    return value if written is None else written.plain()


def _values(path: str, before: Any, after: Any) -> Iterator[Change]:
    """Each value that differs, as deep inside as both are of one kind."""
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
