"""Keras's layers that are not simply ours of the same name and arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nnspec.keras_import.arguments import NoEqual, configured
from nnspec.keras_import.model import KerasCall, KerasLayer, Tensor, is_of_keras, tensors_in
from nnspec.keras_import.normalization import normalization
from nnspec.keras_import.parts import Inside, Part, Translation, Translator, Within, bound, named, wired
from nnspec.keras_import.stacked_cells import stacked, stacked_cells
from nnspec.layers import LAYERS
from nnspec.layers.recurrence import RECURRENT, Recurrent
from nnspec.types import Config

__all__ = ["OF_KERAS", "OF_OURS"]


def _heads(op: str, *names: str) -> Translator:
    """An attention of several heads; what Keras takes at each call are arguments of ours."""

    def translate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
        given = bound(call, ("query", "value", "key", *names))
        _refuse_masks(given)
        config = {**layer.config, **_at_call(op, given)}
        if config.get("value_dim") == config.get("key_dim"):
            config.pop("value_dim", None)
        size = config.get("output_shape")
        config["output_shape"] = size[0] if isinstance(size, list) and len(size) == 1 else size
        made = configured(LAYERS.get(op), {name: value for name, value in config.items() if value is not None}, within.left_out)
        return (Part(made, {port: given[port] for port in ("query", "value", "key") if port in given}),)

    return translate


def _at_call(op: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a call says beside its inputs."""
    names = LAYERS.get(op).call_arguments  # type: ignore[attr-defined]
    return {name: value for name, value in given.items() if name in names and isinstance(value, bool)}


_CAUSAL = "use_causal_mask"
_SCORES = "return_attention_scores"
_MASKS = ("query_mask", "value_mask", "key_mask", "attention_mask")


def _attention(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    given = bound(call, ("inputs", "mask", _SCORES, "training", _CAUSAL))
    _refuse_masks({**given, "mask": given.get("mask", call.kwargs.get("mask"))})
    config = {**layer.config, **_at_call(layer.kind, given)}
    made = configured(LAYERS.get(layer.kind), config, within.left_out)
    return (wired(made, list(tensors_in(given["inputs"]))),)


def _refuse_masks(given: Mapping[str, Any]) -> None:
    """Refuses masks that are given by hand: Keras does not write those that tensors carry."""
    for name in ("mask", *_MASKS):
        if any(True for _ in tensors_in(given.get(name))):
            raise NoEqual(f"it is called with `{name}`", _CARRIED, setting=True)


_CARRIED = (
    "a mask comes with its tensor: make it by `Embedding(mask_zero=True)` or `Masking`, and leave the argument out; "
    "for a causal one write `use_causal_mask=True`"
)


def _reversible(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    given = bound(call, ("inputs", "reverse"))
    config = {**layer.config, **_at_call(layer.kind, given)}
    made = configured(LAYERS.get(layer.kind), config, within.left_out)
    return (wired(made, list(tensors_in(given.get("inputs")))),)


def _recurrent(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
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
        _require_keras(cell)
        kind = _CELLS[str(cell["class_name"])]
        config = {**{key: value for key, value in config.items() if key != "cell"}, **(cell.get("config") or {})}
    if kind not in RECURRENT:
        raise NoEqual("it holds a layer that is not recurrent", setting=True)
    given = {key: value for key, value in config.items() if not (inside and key == "zero_output_for_mask")}
    made = configured(RECURRENT.get(kind), given, within.left_out)
    assert isinstance(made, Recurrent)
    return made


_CELLS = {"LSTMCell": "LSTM", "GRUCell": "GRU", "SimpleRNNCell": "SimpleRNN", "GatedLSTMCell": "LSTM"}


def _require_keras(entry: Mapping[str, Any]) -> None:
    """Refuses a class of a user's own within a layer of Keras's."""
    if not is_of_keras(entry) and entry.get("registered_name") not in _OURS_INSIDE:
        name = entry.get("registered_name") or entry.get("class_name")
        raise NoEqual(f"it holds a `{name}`, a class of your own, and what that computes is not in the file", _OWN)


_OURS_INSIDE = ("nnspec>GatedLSTMCell",)
_OWN = "replace it by one of Keras's own, and save the model again"


def _bidirectional(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    config = dict(layer.config)
    ways = [way for way in (config.pop(name, None) for name in ("layer", "backward_layer")) if isinstance(way, dict)]
    for way in ways:
        _require_keras(way)
    made = [_recurrent_layer(way.get("config") or {}, str(way.get("class_name")), within, inside=True) for way in ways]
    if not made:
        raise NoEqual("it holds no layer", setting=True)
    as_forward = made[0].model_copy(update={"go_backwards": True})
    backward = {} if made[1:] in ([], [as_forward]) else {"backward_layer": made[1]}
    both = configured(LAYERS.get("Bidirectional"), {**config, "layer": made[0], **backward}, within.left_out)
    return _with_states(both, call)


def _wrapping(op: str, *, rest_too: bool) -> Translator:
    """A layer around one other, which Keras keeps as its argument `layer`.

    Args:
        op: Our wrapper.
        rest_too: If what it holds becomes several layers: whether each is wrapped, or the first alone.
    """

    def translate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
        [x] = tensors_in(bound(call, ("inputs",)).get("inputs"))
        shape = within.shape_of(x)
        inner = shape if op != "TimeDistributed" or shape is None else (shape[0], *shape[2:])
        held = _held(layer.config.get("layer"), replace(within, shape_of=lambda tensor: inner))
        parts: list[Part] = []
        for number, part in enumerate(held):
            config = {**layer.config, "layer": part.layer}
            wrapped = rest_too or number == 0
            made = configured(LAYERS.get(op), config, within.left_out) if wrapped else part.layer
            inside = part.inside and Inside(f"layer/{part.inside.group}", ("layer", *part.inside.attributes))
            parts.append(replace(wired(made, [number - 1 if number else x]), suffix=part.suffix, inside=inside))
        return tuple(parts) or x

    return translate


def _held(entry: Any, within: Within) -> tuple[Part, ...]:
    """What the layer in a wrapper becomes: parts that each read the one before."""
    if not isinstance(entry, dict) or not isinstance(entry.get("config"), dict):
        raise NoEqual("it holds no layer", setting=True)
    if is_of_keras(entry) and entry.get("class_name") in ("Functional", "Sequential", "Model"):
        help = "apply the model's layers one by one, each in a `TimeDistributed` of its own, and save the model again"
        raise NoEqual(f"it holds a model, `{entry['config'].get('name')}`", help)
    if entry.get("class_name") not in LAYERS and entry.get("class_name") not in OF_KERAS:
        _require_keras(entry)
        raise NoEqual(f"it holds a `{entry.get('class_name')}`, which the language has not")
    kind, config = str(entry.get("class_name")), entry["config"]
    registered = entry.get("registered_name")
    layer = KerasLayer(
        str(config.get("name")), kind, str(entry.get("module") or "keras.layers"), registered, config, (), None, None, is_of_keras(entry)
    )
    if registered not in OF_OURS:
        _require_keras(entry)
    assert within.translated is not None
    made = within.translated(layer, KerasCall([Tensor(_HELD)], {}), within)
    parts = () if isinstance(made, Tensor) else made
    for number, one in enumerate(parts):
        if list(one.sources.values()) != [number - 1 if number else Tensor(_HELD)]:
            raise NoEqual(f"it holds a `{kind}`, which becomes several steps here", "apply it without the wrapper", setting=True)
    return parts


_HELD = "held"


def _sampling(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    made = configured(LAYERS.get("Sampling"), layer.config, within.left_out)
    return (wired(made, list(tensors_in(call.args))),)


def _random_crop(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Outside training Keras's passes images on uncropped; ours gives the middle."""
    [x] = tensors_in([call.args, call.kwargs])
    shape = within.shape_of(x)
    if shape is None or [*shape[1:3]] != [layer.config.get("height"), layer.config.get("width")]:
        help = "replace it by `CenterCrop` of the same size, which is the same in training and after it, and save the model again"
        raise NoEqual("outside training Keras passes images on uncropped, of another size than it says", help, setting=True)
    return named("RandomCrop", layer, call, within)


def _older(renamed: Mapping[str, str]) -> Translator:
    """A layer whose arguments once had other names."""

    def translate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
        config = {renamed.get(name, name): value for name, value in layer.config.items()}
        return named(layer.kind, replace(layer, config=config), call, within)

    return translate


OF_KERAS: Mapping[str, Translator] = {
    "AdditiveAttention": _attention,
    "Attention": _attention,
    "Bidirectional": _bidirectional,
    "GRU": _recurrent,
    "LSTM": _recurrent,
    "LeakyReLU": _older({"alpha": "negative_slope"}),
    "GroupQueryAttention": _heads("GroupQueryAttention", *_MASKS, _SCORES, "training", _CAUSAL),
    "MultiHeadAttention": _heads("MultiHeadAttention", *_MASKS, _SCORES, "training", _CAUSAL),
    "Normalization": normalization,
    "RNN": _recurrent,
    "RandomCrop": _random_crop,
    "ReversibleEmbedding": _reversible,
    "SimpleRNN": _recurrent,
    "SpectralNormalization": _wrapping("SpectralNormalization", rest_too=False),
    "TimeDistributed": _wrapping("TimeDistributed", rest_too=True),
}
"""By Keras's name; all others are ours of the same name."""


def _as(op: str) -> Translator:
    return lambda layer, call, within: named(op, layer, call, within)


OF_OURS: Mapping[str, Translator] = {
    "nnspec>CenterCrop": _as("CenterCrop"),
    "nnspec>EinsumDense": _as("EinsumDense"),
    "nnspec>EveryStep": _wrapping("TimeDistributed", rest_too=True),
    "nnspec>MultiHeadAttention": _heads("MultiHeadAttention", *_MASKS, _SCORES, "training", _CAUSAL),
    "nnspec>PositionEmbedding": _as("PositionEmbedding"),
    "nnspec>RandomCrop": _as("RandomCrop"),
    "nnspec>RandomShear": _as("RandomShear"),
    "nnspec>Sampling": _sampling,
    "nnspec>SinusoidalPositionEncoding": _as("SinusoidalPositionEncoding"),
}
"""The layers that our own lowering adds to Keras's, by what they are registered as."""
