"""Translators of wrapper layers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nnspec.keras_import.arguments import NoEquivalent, configured
from nnspec.keras_import.lift.recurrent import require_keras
from nnspec.keras_import.model import KerasCall, KerasLayer, Tensor, is_of_keras, tensors_in
from nnspec.keras_import.parts import Inside, Part, Translation, Translator, Within, bound, wired
from nnspec.layers import LAYERS

__all__ = ["wrapping"]


def wrapping(op: str, *, rest_too: bool) -> Translator:
    """Return the translator of a wrapper, whose inner layer is its argument `layer`.

    Args:
        op: The spec's wrapper.
        rest_too: Whether to wrap every layer that the inner layer becomes, or only the first.
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
    """Translate the inner layer of a wrapper to a chain of parts."""
    if not isinstance(entry, dict) or not isinstance(entry.get("config"), dict):
        raise NoEquivalent("it wraps no layer", setting=True)
    if is_of_keras(entry) and entry.get("class_name") in ("Functional", "Sequential", "Model"):
        help = "wrap each layer of the model instead, and save the model again"
        raise NoEquivalent(f"it wraps a model, `{entry['config'].get('name')}`", help)
    kind, config = str(entry.get("class_name")), entry["config"]
    registered = entry.get("registered_name")
    layer = KerasLayer(
        str(config.get("name")),
        kind,
        str(entry.get("module") or "keras.layers"),
        registered,
        config,
        (),
        None,
        None,
        is_of_keras(entry),
    )
    if not layer.is_ours:
        require_keras(entry)
    assert within.translated is not None
    try:
        made = within.translated(layer, KerasCall([Tensor(_HELD)], {}), within)
    except NoEquivalent as error:
        reason = f"for its layer `{layer.name}` ({kind}), {error.reason}"
        raise NoEquivalent(reason, error.help, setting=error.setting) from None
    parts = () if isinstance(made, Tensor) else made
    for number, one in enumerate(parts):
        if list(one.sources.values()) != [number - 1 if number else Tensor(_HELD)]:
            raise NoEquivalent(
                f"it wraps a `{kind}`, which becomes several steps", "apply it without the wrapper", setting=True
            )
    return parts


_HELD = "held"
