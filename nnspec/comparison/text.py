"""A difference as text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from nnspec.comparison.changes import Change, Difference, LayerChange, NetworkChange
from nnspec.comparison.weights import Carried

__all__ = ["as_text"]

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
        lines += _network(network)
    for name, changes in difference.sections.items():
        lines += [name, *(f"  {_change(change)}" for change in changes)]
    return "\n".join([*lines, *_weights(difference.weights)])


def _network(network: NetworkChange) -> Iterator[str]:
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
    return f"{change.path}: {_value(change.before)} → {_value(change.after)}"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "none" if value is None else json.dumps(value, ensure_ascii=False)
