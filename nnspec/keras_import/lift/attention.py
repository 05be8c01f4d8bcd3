"""Translators of attention layers and ReversibleEmbedding, whose call arguments become layer arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.keras_import.arguments import NoEquivalent, configured
from nnspec.keras_import.model import KerasCall, KerasLayer, tensors_in
from nnspec.keras_import.parts import Part, Translation, Translator, Within, bound, wired
from nnspec.layers import LAYERS


def heads(op: str) -> Translator:
    """Return the translator of a multi-head attention layer."""

    def translate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
        given = bound(call, ("query", "value", "key", *_MASKS, _SCORES, "training", _CAUSAL))
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
    """Return the call arguments besides the inputs."""
    names = LAYERS.get(op).call_arguments  # type: ignore[attr-defined]
    return {name: value for name, value in given.items() if name in names and isinstance(value, bool)}


_CAUSAL = "use_causal_mask"
_SCORES = "return_attention_scores"
_MASKS = ("query_mask", "value_mask", "key_mask", "attention_mask")


def attention(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    given = bound(call, ("inputs", "mask", _SCORES, "training", _CAUSAL))
    _refuse_masks({**given, "mask": given.get("mask", call.kwargs.get("mask"))})
    config = {**layer.config, **_at_call(layer.kind, given)}
    made = configured(LAYERS.get(layer.kind), config, within.left_out)
    return (wired(made, list(tensors_in(given["inputs"]))),)


def _refuse_masks(given: Mapping[str, Any]) -> None:
    """Refuse explicit masks; implicit masks are not in the config."""
    for name in ("mask", *_MASKS):
        if any(True for _ in tensors_in(given.get(name))):
            raise NoEquivalent(f"it is called with `{name}`", _CARRIED, setting=True)


_CARRIED = (
    "use implicit masks from `Embedding(mask_zero=True)` or `Masking`, and remove the argument; "
    "for a causal mask write `use_causal_mask=True`"
)


def reversible(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    given = bound(call, ("inputs", "reverse"))
    config = {**layer.config, **_at_call(layer.kind, given)}
    made = configured(LAYERS.get(layer.kind), config, within.left_out)
    return (wired(made, list(tensors_in(given.get("inputs")))),)
