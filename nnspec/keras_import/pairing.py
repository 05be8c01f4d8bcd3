"""Comparison of two compiled specs that differ in names only."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nnspec.graph.model import Graph, Model, Ref
from nnspec.layers.compute import Compute

__all__ = ["paired"]


def paired(one: Model, other: Model) -> dict[str, str] | None:
    """Return the other's name of each weight; None if the graphs differ in more than names."""
    found: dict[str, str] = {}
    if list(one.networks) != list(other.networks):
        return None
    for a, b in zip(one.networks.values(), other.networks.values(), strict=True):
        if not _pair(a, b, found):
            return None
    return found


def _pair(one: Graph, other: Graph, found: dict[str, str]) -> bool:
    if dict(one.inputs) != dict(other.inputs) or len(one.nodes) != len(other.nodes):
        return False
    names = {name: name for name in one.inputs}
    for a, b in zip(one.nodes.values(), other.nodes.values(), strict=True):
        names[a.name] = b.name
        if isinstance(a.layer, Compute) and isinstance(b.layer, Compute):
            same = _expressions(a.layer, a.inputs, names) == _expressions(b.layer, b.inputs, None)
        else:
            same = a.layer == b.layer and {port: _renamed(ref, names) for port, ref in a.inputs.items()} == dict(b.inputs)
        if not same or dict(a.outputs) != dict(b.outputs) or a.frozen != b.frozen or a.times != b.times:
            return False
        for mine, theirs in zip(a.weights, b.weights, strict=True):
            name, named = f"{a.weights_at}/{mine.name}", f"{b.weights_at}/{theirs.name}"
            if mine != theirs or found.setdefault(name, named) != named:
                return False
    return {key: _renamed(ref, names) for key, ref in one.outputs.items()} == dict(other.outputs)


def _renamed(ref: Ref, names: dict[str, str]) -> Ref:
    return Ref(names[ref.source], ref.output)


def _expressions(layer: Compute, inputs: Mapping[str, Ref], names: dict[str, str] | None) -> object:
    """The results of a layer with its tensors in place of their names, which differ."""
    refs = {port: _renamed(ref, names) if names is not None else ref for port, ref in inputs.items()}
    order = {port: f"tensor{place}" for place, port in enumerate(refs)}
    texts = [
        (name, re.sub(r"[A-Za-z_][\w.]*(?!\w*\()", lambda match: order.get(match[0], match[0]), text))
        for name, text in layer.results.items()
    ]
    return texts, list(refs.values())
