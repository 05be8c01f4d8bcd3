"""Keras's layers that are not simply ours of the same name and arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.keras_import.arguments import NoEqual, configured
from nnspec.keras_import.model import KerasCall, KerasLayer, tensors_in
from nnspec.keras_import.normalization import normalization
from nnspec.keras_import.parts import Part, Translation, Translator, Within, bound, named, wired
from nnspec.layers import LAYERS
from nnspec.layers.recurrence import RECURRENT, Recurrent
from nnspec.types import Config

__all__ = ["OF_KERAS", "OF_OURS"]


def _multi_head(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    given = bound(call, ("query", "value", "key", *_BESIDE, "attention_mask", "return_attention_scores", "training", _CAUSAL))
    config = {**layer.config, _CAUSAL: bool(given.get(_CAUSAL, False))}
    if config.get("value_dim") == config.get("key_dim"):
        config.pop("value_dim", None)
    size = config.get("output_shape")
    config["output_shape"] = size[0] if isinstance(size, list) and len(size) == 1 else size
    made = configured(LAYERS.get("MultiHeadAttention"), config, within.left_out)
    _refuse(given, "attention_mask", "return_attention_scores")
    return (Part(made, {port: given[port] for port in ("query", "value", "key") if port in given}),)


_CAUSAL = "use_causal_mask"
_BESIDE = ("query_mask", "value_mask", "key_mask")


def _attention(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    given = bound(call, ("inputs", "mask", "return_attention_scores", "training", _CAUSAL))
    _refuse(given, "return_attention_scores")
    config = {**layer.config, _CAUSAL: bool(given.get(_CAUSAL, False))}
    made = configured(LAYERS.get(layer.kind), config, within.left_out)
    return (wired(made, list(tensors_in(given["inputs"]))),)


def _refuse(given: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if given.get(name) not in (None, False):
            raise NoEqual(f"it is called with `{name}`", setting=True)


def _recurrent(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    return _with_states(_recurrent_layer(layer.config, layer.kind, within), call)


def _with_states(made: Config, call: KerasCall) -> Translation:
    given = bound(call, ("sequences", "initial_state", "mask", "training"))
    first = given.get("sequences", call.kwargs.get("inputs"))
    tensors = list(tensors_in([first, given.get("initial_state")]))
    if not tensors:
        raise NoEqual("nothing comes in", setting=True)
    return (Part(made, dict(zip(("x", *_states(made)), tensors, strict=False))),)


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
        kind = _CELLS[str(cell["class_name"])]
        config = {**{key: value for key, value in config.items() if key != "cell"}, **(cell.get("config") or {})}
    if kind not in RECURRENT:
        raise NoEqual("it holds a layer that is not recurrent", setting=True)
    given = {key: value for key, value in config.items() if not (inside and key == "zero_output_for_mask")}
    made = configured(RECURRENT.get(kind), given, within.left_out)
    assert isinstance(made, Recurrent)
    return made


_CELLS = {"LSTMCell": "LSTM", "GRUCell": "GRU", "SimpleRNNCell": "SimpleRNN", "GatedLSTMCell": "LSTM"}


def _bidirectional(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    config = dict(layer.config)
    ways = [config.pop(name, None) for name in ("layer", "backward_layer")]
    made = [
        _recurrent_layer(way.get("config") or {}, str(way.get("class_name")), within, inside=True)
        for way in ways
        if isinstance(way, dict)
    ]
    if not made:
        raise NoEqual("it holds no layer", setting=True)
    as_forward = made[0].model_copy(update={"go_backwards": True})
    backward = {} if made[1:] in ([], [as_forward]) else {"backward_layer": made[1]}
    both = configured(LAYERS.get("Bidirectional"), {**config, "layer": made[0], **backward}, within.left_out)
    return _with_states(both, call)


def _wrapping(op: str) -> Translator:
    """A layer around one other, which Keras keeps as its argument `layer`."""

    def translate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
        inner = layer.config.get("layer")
        if not isinstance(inner, dict) or inner.get("class_name") not in LAYERS:
            raise NoEqual("it holds a layer that the language has not", "a model inside it can be unrolled into steps by hand")
        held = configured(LAYERS.get(str(inner["class_name"])), inner.get("config") or {}, within.left_out)
        made = configured(LAYERS.get(op), {**layer.config, "layer": held}, within.left_out)
        return (wired(made, list(tensors_in(bound(call, ("inputs",)).get("inputs")))),)

    return translate


def _sampling(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    made = configured(LAYERS.get("Sampling"), layer.config, within.left_out)
    return (wired(made, list(tensors_in(call.args))),)


def _older(renamed: Mapping[str, str]) -> Translator:
    """A layer whose arguments once had other names."""

    def translate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
        config = {renamed.get(name, name): value for name, value in layer.config.items()}
        renewed = KerasLayer(layer.name, layer.kind, layer.module, layer.registered, config, layer.calls, layer.group)
        return named(layer.kind, renewed, call, within)

    return translate


OF_KERAS: Mapping[str, Translator] = {
    "AdditiveAttention": _attention,
    "Attention": _attention,
    "Bidirectional": _bidirectional,
    "GRU": _recurrent,
    "LSTM": _recurrent,
    "LeakyReLU": _older({"alpha": "negative_slope"}),
    "MultiHeadAttention": _multi_head,
    "Normalization": normalization,
    "RNN": _recurrent,
    "SimpleRNN": _recurrent,
    "SpectralNormalization": _wrapping("SpectralNormalization"),
    "TimeDistributed": _wrapping("TimeDistributed"),
}
"""By Keras's name; all others are ours of the same name."""


def _as(op: str) -> Translator:
    return lambda layer, call, within: named(op, layer, call, within)


OF_OURS: Mapping[str, Translator] = {
    "nnspec>CenterCrop": _as("CenterCrop"),
    "nnspec>EinsumDense": _as("EinsumDense"),
    "nnspec>EveryStep": _wrapping("TimeDistributed"),
    "nnspec>MultiHeadAttention": _multi_head,
    "nnspec>PositionEmbedding": _as("PositionEmbedding"),
    "nnspec>RandomCrop": _as("RandomCrop"),
    "nnspec>RandomShear": _as("RandomShear"),
    "nnspec>Sampling": _sampling,
    "nnspec>SinusoidalPositionEncoding": _as("SinusoidalPositionEncoding"),
}
"""The layers that our own lowering adds to Keras's, by what they are registered as."""
