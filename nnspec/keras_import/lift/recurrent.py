"""Translators of recurrent layers, cells, stacked cells and Bidirectional."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from nnspec.keras_import.arguments import NoEquivalent, configured
from nnspec.keras_import.model import KerasCall, KerasLayer, is_of_keras, tensors_in
from nnspec.keras_import.parts import Inside, Part, Source, Translation, Within, bound
from nnspec.layers import LAYERS, snake_name
from nnspec.layers.recurrence import RECURRENT, Recurrent
from nnspec.types import Config


def recurrent(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    cells = _stacked_cells(layer.config) if layer.kind == "RNN" else None
    if cells is not None:
        return _stacked(layer, call, [_recurrent_layer(config, "RNN", within) for config in cells])
    return _with_states(_recurrent_layer(layer.config, layer.kind, within), call)


def _with_states(made: Config, call: KerasCall) -> Translation:
    given = bound(call, ("sequences", "initial_state", "mask", "training"))
    tensors = list(tensors_in([given.get("sequences"), given.get("initial_state")]))
    if not tensors:
        raise NoEquivalent("it is called without a tensor", setting=True)
    ports = ("x", *_states(made))
    if len(tensors) > len(ports):
        raise NoEquivalent(f"it is called with {len(tensors)} tensors, but has {len(ports) - 1} states", setting=True)
    return (Part(made, dict(zip(ports, tensors, strict=False))),)


def _states(made: Config) -> tuple[str, ...]:
    if isinstance(made, Recurrent):
        return made.states
    return tuple(f"{way}_{state}" for way in ("forward", "backward") for state in made.forward.states)  # type: ignore[attr-defined]


def _recurrent_layer(config: Mapping[str, Any], kind: str, within: Within, *, inside: bool = False) -> Recurrent:
    """Build a recurrent layer from its config; `Bidirectional` sets one argument of its layers."""
    if kind == "RNN":
        cell = config.get("cell")
        if not isinstance(cell, dict) or cell.get("class_name") not in _CELLS:
            raise NoEquivalent("its cell is not a built-in cell of Keras", "write it as an LSTM, a GRU or a SimpleRNN")
        require_keras(cell)
        kind = _CELLS[str(cell["class_name"])]
        config = {**{key: value for key, value in config.items() if key != "cell"}, **(cell.get("config") or {})}
    if kind not in RECURRENT:
        raise NoEquivalent("it wraps a layer that is not recurrent", setting=True)
    given = {key: value for key, value in config.items() if not (inside and key == "zero_output_for_mask")}
    made = configured(RECURRENT.get(kind), given, within.left_out)
    assert isinstance(made, Recurrent)
    return made


_CELLS = {"LSTMCell": "LSTM", "GRUCell": "GRU", "SimpleRNNCell": "SimpleRNN", "GatedLSTMCell": "LSTM"}


def require_keras(entry: Mapping[str, Any]) -> None:
    """Refuse a custom class inside a built-in layer."""
    if not is_of_keras(entry) and entry.get("registered_name") not in _OURS_INSIDE:
        name = entry.get("registered_name") or entry.get("class_name")
        raise NoEquivalent(f"it contains the custom class `{name}`, whose code is not in the file", _OWN)


_OURS_INSIDE = ("nnspec>GatedLSTMCell",)
_OWN = "replace it with a built-in class of Keras, and save the model again"


def bidirectional(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    config = dict(layer.config)
    ways = [way for way in (config.pop(name, None) for name in ("layer", "backward_layer")) if isinstance(way, dict)]
    for way in ways:
        require_keras(way)
    made = [_recurrent_layer(way.get("config") or {}, str(way.get("class_name")), within, inside=True) for way in ways]
    if not made:
        raise NoEquivalent("it wraps no layer", setting=True)
    as_forward = made[0].model_copy(update={"go_backwards": True})
    backward = {} if made[1:] in ([], [as_forward]) else {"backward_layer": made[1]}
    both = configured(LAYERS.get("Bidirectional"), {**config, "layer": made[0], **backward}, within.left_out)
    return _with_states(both, call)


def _stacked_cells(config: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the config of an ``RNN`` for each stacked cell; None if there is a single cell."""
    cell = config.get("cell")
    if not isinstance(cell, dict) or cell.get("class_name") != "StackedRNNCells" or not is_of_keras(cell):
        return None
    cells = (cell.get("config") or {}).get("cells")
    if not isinstance(cells, list) or not cells:
        raise NoEquivalent("its `StackedRNNCells` have no cells", setting=True)
    last = len(cells) - 1
    return [
        {
            **config,
            "cell": one,
            "return_sequences": config.get("return_sequences", False) if number == last else True,
            "go_backwards": config.get("go_backwards", False) and number == 0,
        }
        for number, one in enumerate(cells)
    ]


def _stacked(layer: KerasLayer, call: KerasCall, made: Sequence[Recurrent]) -> tuple[Part, ...]:
    """Return the layers of stacked cells. Keras lists the states of all cells in order, as initial states and outputs."""
    given = bound(call, ("sequences", "initial_state", "mask", "training"))
    first = list(tensors_in(given.get("initial_state")))
    if first and len(first) != sum(len(one.states) for one in made):
        raise NoEquivalent("it is not called with one state per cell state", setting=True)
    if layer.config.get("go_backwards") and call.kwargs.get("mask") is not None and len(made) > 1:
        raise NoEquivalent("it runs backward with a mask, which would be reversed for the second cell", setting=True)
    source: Source = next(tensors_in(given.get("sequences")))
    cells = layer.config["cell"]["config"]["cells"]
    parts: list[Part] = []
    counted: Counter[str] = Counter()
    output = 1
    for number, one in enumerate(made):
        states: dict[str, Source] = {state: first.pop(0) for state in one.states} if first else {}
        kind = snake_name(str(cells[number].get("class_name")))
        name = f"{kind}_{counted[kind]}" if counted[kind] else kind
        counted[kind] += 1
        last = number == len(made) - 1
        gives = {0: "output"} if last else {}
        if one.return_state:
            gives |= dict(zip(range(output, output + len(one.states)), one.states, strict=True))
            output += len(one.states)
        inside = Inside(f"cell/cells/{name}", ("cell", "cells", number))
        parts.append(Part(one, {"x": source, **states}, f"_{number}", inside, gives))
        source = number
    return tuple(parts)
