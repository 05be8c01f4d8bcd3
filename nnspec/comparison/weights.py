"""Weights of one model that can initialize another: those with the same name and shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from nnspec.graph import Model


@dataclass(frozen=True)
class Carried:
    """The weights of a second model that can be initialized from a first one.

    Attributes:
        carried: Identity and shape of each weight that carries over.
        started_anew: Identity of each other weight, with the reason.
        left_behind: Weights of the first model that are not used.
    """

    carried: Mapping[str, tuple[int, ...]]
    started_anew: Mapping[str, str]
    left_behind: tuple[str, ...]

    @property
    def parameters(self) -> int:
        """Number of elements that carry over."""
        return sum(prod(shape) for shape in self.carried.values())

    def as_json(self) -> dict[str, Any]:
        return {
            "carried": list(self.carried),
            "carried_parameters": self.parameters,
            "started_anew": [{"name": name, "reason": reason} for name, reason in self.started_anew.items()],
            "left_behind": list(self.left_behind),
        }


_Shapes = dict[str, tuple[int, ...]]


def carried(a: Model, b: Model) -> Carried:
    """Return which weights of ``b`` can be initialized from ``a``: those with the same name and shape."""
    before, after = _shapes(a), _shapes(b)
    same = {name: shape for name, shape in after.items() if before.get(name) == shape}
    left = [name for name in before if name not in after]
    renamed = _renamed({name: before[name] for name in left}, {n: s for n, s in after.items() if n not in before})
    anew = {name: _reason(name, before, shape, renamed) for name, shape in after.items() if name not in same}
    return Carried(same, anew, tuple(left))


def _shapes(model: Model) -> _Shapes:
    return {identity: weight.shape for graph in model.networks.values() for identity, weight, _ in graph.weights()}


def _reason(name: str, before: _Shapes, shape: tuple[int, ...], renamed: Mapping[str, str]) -> str:
    if name in before:
        return f"its shape changed from {_text(before[name])} to {_text(shape)}"
    if name in renamed:
        old = renamed[name]
        return f"new; `{old}` has the same shape and would carry over under the same name"
    return "new"


def _renamed(left: _Shapes, new: _Shapes) -> dict[str, str]:
    """Return the likely renamed weights: of layers that match in everything but the name, if the match is unique."""
    layers_left, layers_new = _by_layer(left), _by_layer(new)
    alike_left, alike_new = Counter(layers_left.values()), Counter(layers_new.values())
    found: dict[str, str] = {}
    for layer, weights in layers_new.items():
        if alike_left[weights] == alike_new[weights] == 1:
            old = next(name for name, others in layers_left.items() if others == weights)
            found |= {f"{layer}/{weight}": f"{old}/{weight}" for weight, _ in weights}
    return found


def _by_layer(shapes: _Shapes) -> dict[str, tuple[tuple[str, tuple[int, ...]], ...]]:
    layers: dict[str, tuple[tuple[str, tuple[int, ...]], ...]] = {}
    for identity, shape in shapes.items():
        layer, _, weight = identity.rpartition("/")
        layers[layer] = (*layers.get(layer, ()), (weight, shape))
    return layers


def _text(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "a scalar"
