"""Keras's ``Normalization``: what it learned from data are constants in use, and so a factor and an offset."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from nnspec.keras_import.arguments import NoEqual
from nnspec.keras_import.model import KerasCall, KerasLayer, tensors_in
from nnspec.keras_import.parts import Translation, Within, named, part

__all__ = ["normalization"]

_EPSILON = 1e-7
"""What Keras holds the standard deviation above."""


def normalization(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """``(x − mean) / max(√variance, 1e-7)`` as ``Rescaling``, or the reverse of it where it inverts."""
    [tensor] = tensors_in([call.args, call.kwargs.get("inputs")])
    axes = layer.config.get("axis")
    rank = within.rank(tensor)
    last = (-1, [-1], None, []) if rank is None else (-1, [-1], rank - 1, [rank - 1], None, [])
    given = layer.config.get("mean") is not None
    if axes not in last and not given:
        if within.saved(f"{layer.group}/vars/0") is None:
            raise NoEqual("its statistics are weights, and there are none here", _STATISTICS)
        return named("Normalization", layer, call, within)  # which keeps the statistics as weights
    mean, variance = _statistics(layer, within)
    if len(mean) > 1 and axes not in last:
        raise NoEqual(f"it normalises along axis {axes}", "only statistics of the last axis become a factor", setting=True)
    deviation = [max(math.sqrt(value), _EPSILON) for value in variance]
    if layer.config.get("invert"):
        scale, offset = deviation, list(mean)
    else:
        scale = [1 / value for value in deviation]
        offset = [-middle / value for middle, value in zip(mean, deviation, strict=True)]
    return (part("Rescaling", {"scale": _shortest(scale), "offset": _shortest([value or 0.0 for value in offset])}, [tensor]),)


_STATISTICS = "import the .keras file, which has the statistics, or give `mean` and `variance` to the layer"


def _statistics(layer: KerasLayer, within: Within) -> tuple[Sequence[float], Sequence[float]]:
    found = [layer.config.get("mean"), layer.config.get("variance")]
    if None in found:
        found = [within.saved(f"{layer.group}/vars/{number}") for number in (0, 1)]
    if any(value is None for value in found):
        raise NoEqual("its statistics are weights, and there are none here", _STATISTICS)
    mean, variance = (_flat(value) for value in found)
    if len(mean) != len(variance) or not mean or min(variance) < 0 or not all(map(math.isfinite, [*mean, *variance])):
        raise NoEqual("its statistics are no means and variances", setting=True)
    return mean, variance


def _flat(value: Any) -> list[float]:
    if hasattr(value, "reshape"):
        value = value.reshape(-1).tolist()
    while isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        value = value[0]
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, int | float) for item in items):
        raise NoEqual("its statistics are not those of one axis", setting=True)
    return [float(item) for item in items]


def _shortest(values: list[float]) -> float | list[float]:
    return values[0] if len(set(values)) == 1 else values
