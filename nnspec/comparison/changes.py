"""Results of a comparison: changes of values, layers, networks and sections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnspec.comparison.weights import Carried


@dataclass(frozen=True)
class Change:
    """A changed value.

    Attributes:
        path: Path of the value, ``filters`` or ``optimizer.learning_rate``.
        before: Value in the first spec; None if it has none.
        after: Value in the second spec; None if it has none.
    """

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class LayerChange:
    """A layer that was added, removed or changed.

    Attributes:
        name: Path in the graph.
        kind: ``added``, ``removed`` or ``changed``.
        op: Operation, from the second spec if the layer exists there.
        changes: Changed values: ``op``, ``from``, arguments, ``freeze``, ``shape``.
    """

    name: str
    kind: str
    op: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class NetworkChange:
    """A network that was added, removed or changed.

    Attributes:
        name: Name of the network; ``main`` for the document's own layers.
        kind: ``added``, ``removed`` or ``changed``.
        ports: Changes of inputs and outputs.
        layers: Changed layers in the order of the second spec, followed by removed ones.
        figures: Changes of parameters and multiply–accumulates.
    """

    name: str
    kind: str
    ports: tuple[Change, ...] = ()
    layers: tuple[LayerChange, ...] = ()
    figures: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Difference:
    """The semantic difference of two specs.

    Attributes:
        names: Names of both specs.
        networks: Changed networks.
        sections: Changes in each section, by name.
        weights: Weights of the second spec that can be initialized from the first.
    """

    names: tuple[str, str]
    networks: tuple[NetworkChange, ...]
    sections: Mapping[str, tuple[Change, ...]]
    weights: Carried

    @property
    def is_empty(self) -> bool:
        """Whether both specs are equivalent."""
        return self.names[0] == self.names[1] and not self.networks and not self.sections

    def as_json(self) -> dict[str, Any]:
        """Return the JSON form for ``nnspec diff --format json``."""
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
