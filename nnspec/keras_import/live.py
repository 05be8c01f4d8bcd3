"""Config of a live ``keras.Model``, whose classes can be inspected."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import FunctionType
from typing import Any

from nnspec.diagnostics import Diagnostic, Span
from nnspec.keras_import import problems as k
from nnspec.keras_import.model import KerasModel

__all__ = ["live_config", "live_problems", "live_statistics", "without_wrapper"]

_COMPUTING = ("__call__", "call", "compute_mask", "compute_output_shape", "compute_output_spec")


def live_config(model: Any) -> Any:
    """Return the config of ``model.to_json()``, with subclasses that do not override computation replaced by their base."""
    bases: dict[tuple[Any, str], tuple[str, str]] = {}
    for kind in {type(one) for one in _models(model)}:
        base = _base(kind)
        if base is not kind and all(getattr(kind, name) is getattr(base, name) for name in _COMPUTING):
            bases[None if kind.__module__ == "__main__" else kind.__module__, kind.__name__] = base.__module__, base.__name__
    return _with_bases(json.loads(model.to_json()), bases)


def _models(model: Any) -> Iterator[Any]:
    yield model
    for layer in model.layers:
        inner = without_wrapper(layer)
        if hasattr(inner, "layers"):
            yield from _models(inner)


def without_wrapper(layer: Any) -> Any:
    """Return the model that a ``TimeDistributed`` applies; any other layer itself."""
    inner = getattr(layer, "layer", None)
    return inner if hasattr(inner, "layers") else layer


def _base(kind: type) -> type:
    """Return the built-in class it extends: ``Functional``, ``Sequential``, or the class itself."""
    return next((one for one in kind.__mro__ if one.__name__ in ("Functional", "Sequential") and _is_keras(one)), kind)


def _is_keras(value: Any) -> bool:
    return str(value.__module__).partition(".")[0] == "keras"


def _with_bases(value: Any, bases: Mapping[tuple[Any, str], tuple[str, str]]) -> Any:
    if isinstance(value, list):
        return [_with_bases(item, bases) for item in value]
    if not isinstance(value, dict):
        return value
    inside = {key: _with_bases(item, bases) for key, item in value.items()}
    found = bases.get((value.get("module", ""), str(value.get("class_name"))))
    if found is None:
        return inside
    module, name = found
    return {**inside, "module": module, "class_name": name, "registered_name": name}


def live_problems(model: Any, span: Span) -> list[Diagnostic]:
    """Return problems for custom activations with the name of a built-in one, which configs do not distinguish."""
    import keras

    found = []
    for one in _models(model):
        for layer in one.layers:
            for holder in filter(None, (layer, *(getattr(layer, name, None) for name in ("layer", "cell", "forward_layer")))):
                for argument in ("activation", "recurrent_activation"):
                    given = getattr(holder, argument, None)
                    known = getattr(keras.activations, getattr(given, "__name__", ""), None)
                    if isinstance(given, FunctionType) and known is not None and known is not given and not _is_keras(given):
                        reason = f"its `{argument}` is the custom function `{given.__module__}.{given.__name__}`"
                        help = "write it with layers, or use a built-in activation of Keras"
                        kind = type(layer).__name__
                        problem = k.NoEqualArgument.at(span, layer.name, help=help, layer=layer.name, kind=kind, reason=reason)
                        found.append(problem)
    return found


def live_statistics(model: KerasModel, live: Any, place: str) -> Any:
    """Return the array that a file would have at a path; used for the statistics of ``Normalization``."""
    for layer in model.layers.values():
        if layer.group is None or not place.startswith(f"{layer.group}/"):
            continue
        own = live.get_layer(layer.name)
        if layer.model is not None:
            return live_statistics(layer.model, without_wrapper(own), place)
        number = int(place.rpartition("/")[2])
        return own.weights[number].numpy() if number < len(own.weights) else None
    return None
