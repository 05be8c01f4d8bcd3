"""Translator of ``Normalization``, whose fixed statistics become a factor and an offset."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from nnspec.keras_import.arguments import NoEquivalent
from nnspec.keras_import.model import KerasCall, KerasLayer, tensors_in
from nnspec.keras_import.parts import Translation, Within, named, part

_EPSILON = 1e-7
"""Keras's lower bound of the standard deviation."""


def normalization(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Translate ``(x − mean) / max(√variance, 1e-7)``, or its inverse, to ``Rescaling``."""
    [tensor] = tensors_in([call.args, call.kwargs.get("inputs")])
    axes = layer.config.get("axis")
    rank = within.rank(tensor)
    last = (-1, [-1], None, []) if rank is None else (-1, [-1], rank - 1, [rank - 1], None, [])
    given = layer.config.get("mean") is not None
    if axes not in last and not given:
        if within.saved(f"{layer.group}/vars/0") is None:
            raise NoEquivalent("its statistics are weights, which are not available", _STATISTICS)
        return named("Normalization", layer, call, within)  # keeps the statistics as weights
    mean, variance = _statistics(layer, within)
    if len(mean) > 1 and axes not in last:
        raise NoEquivalent(f"it normalizes along axis {axes}", "only statistics of the last axis are supported", setting=True)
    deviation = [max(math.sqrt(value), _EPSILON) for value in variance]
    if layer.config.get("invert"):
        scale, offset = deviation, list(mean)
    else:
        scale = [1 / value for value in deviation]
        offset = [-middle / value for middle, value in zip(mean, deviation, strict=True)]
    return (part("Rescaling", {"scale": _shortest(scale), "offset": _shortest([value or 0.0 for value in offset])}, [tensor]),)


_STATISTICS = "import the .keras file with the statistics, or pass `mean` and `variance` to the layer"


def _statistics(layer: KerasLayer, within: Within) -> tuple[Sequence[float], Sequence[float]]:
    found = [layer.config.get("mean"), layer.config.get("variance")]
    if None in found:
        found = [within.saved(f"{layer.group}/vars/{number}") for number in (0, 1)]
    if any(value is None for value in found):
        raise NoEquivalent("its statistics are weights, which are not available", _STATISTICS)
    mean, variance = (_flat(value) for value in found)
    if len(mean) != len(variance) or not mean or min(variance) < 0 or not all(map(math.isfinite, [*mean, *variance])):
        raise NoEquivalent("its statistics are not valid means and variances", setting=True)
    return mean, variance


def _flat(value: Any) -> list[float]:
    if hasattr(value, "reshape"):
        value = value.reshape(-1).tolist()
    while isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        value = value[0]
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, int | float) for item in items):
        raise NoEquivalent("its statistics are not one-dimensional", setting=True)
    return [float(item) for item in items]


def _shortest(values: list[float]) -> float | list[float]:
    return values[0] if len(set(values)) == 1 else values
