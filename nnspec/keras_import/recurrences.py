"""Recurrent layers, cells, and both directions of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.keras_import.arguments import NoEqual, configured
from nnspec.keras_import.model import KerasCall, KerasLayer, is_of_keras, tensors_in
from nnspec.keras_import.parts import Part, Translation, Within, bound
from nnspec.keras_import.stacked_cells import stacked, stacked_cells
from nnspec.layers import LAYERS
from nnspec.layers.recurrence import RECURRENT, Recurrent
from nnspec.types import Config

__all__ = ["bidirectional", "recurrent", "require_keras"]


def recurrent(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    cells = stacked_cells(layer.config) if layer.kind == "RNN" else None
    if cells is not None:
        return stacked(layer, call, [_recurrent_layer(config, "RNN", within) for config in cells])
    return _with_states(_recurrent_layer(layer.config, layer.kind, within), call)


def _with_states(made: Config, call: KerasCall) -> Translation:
    given = bound(call, ("sequences", "initial_state", "mask", "training"))
    tensors = list(tensors_in([given.get("sequences"), given.get("initial_state")]))
    if not tensors:
        raise NoEqual("nothing comes in", setting=True)
    ports = ("x", *_states(made))
    if len(tensors) > len(ports):
        raise NoEqual(f"it is called with {len(tensors)} tensors, and has {len(ports) - 1} states", setting=True)
    return (Part(made, dict(zip(ports, tensors, strict=False))),)


def _states(made: Config) -> tuple[str, ...]:
    if isinstance(made, Recurrent):
        return made.states
    return tuple(f"{way}_{state}" for way in ("forward", "backward") for state in made.forward.states)  # type: ignore[attr-defined]


def _recurrent_layer(config: Mapping[str, Any], kind: str, within: Within, *, inside: bool = False) -> Recurrent:
    """A recurrent layer by its config; Keras sets one argument of those within `Bidirectional` itself."""
    if kind == "RNN":
        cell = config.get("cell")
        if not isinstance(cell, dict) or cell.get("class_name") not in _CELLS:
            raise NoEqual("its cell is not one of Keras's", "write it as an LSTM, a GRU or a SimpleRNN")
        require_keras(cell)
        kind = _CELLS[str(cell["class_name"])]
        config = {**{key: value for key, value in config.items() if key != "cell"}, **(cell.get("config") or {})}
    if kind not in RECURRENT:
        raise NoEqual("it holds a layer that is not recurrent", setting=True)
    given = {key: value for key, value in config.items() if not (inside and key == "zero_output_for_mask")}
    made = configured(RECURRENT.get(kind), given, within.left_out)
    assert isinstance(made, Recurrent)
    return made


_CELLS = {"LSTMCell": "LSTM", "GRUCell": "GRU", "SimpleRNNCell": "SimpleRNN", "GatedLSTMCell": "LSTM"}


def require_keras(entry: Mapping[str, Any]) -> None:
    """Refuses a class of a user's own within a layer of Keras's."""
    if not is_of_keras(entry) and entry.get("registered_name") not in _OURS_INSIDE:
        name = entry.get("registered_name") or entry.get("class_name")
        raise NoEqual(f"it holds a `{name}`, a class of your own, and what that computes is not in the file", _OWN)


_OURS_INSIDE = ("nnspec>GatedLSTMCell",)
_OWN = "replace it by one of Keras's own, and save the model again"


def bidirectional(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    config = dict(layer.config)
    ways = [way for way in (config.pop(name, None) for name in ("layer", "backward_layer")) if isinstance(way, dict)]
    for way in ways:
        require_keras(way)
    made = [_recurrent_layer(way.get("config") or {}, str(way.get("class_name")), within, inside=True) for way in ways]
    if not made:
        raise NoEqual("it holds no layer", setting=True)
    as_forward = made[0].model_copy(update={"go_backwards": True})
    backward = {} if made[1:] in ([], [as_forward]) else {"backward_layer": made[1]}
    both = configured(LAYERS.get("Bidirectional"), {**config, "layer": made[0], **backward}, within.left_out)
    return _with_states(both, call)
