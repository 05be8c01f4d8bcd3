"""What a comparison gives: the changes of values, layers, networks and sections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnspec.comparison.weights import Carried

__all__ = ["Change", "Difference", "LayerChange", "NetworkChange"]


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
