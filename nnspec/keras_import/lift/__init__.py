"""Translators of Keras layers that differ from the spec's layers: the inverse of ``keras_backend.lower``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nnspec.keras_import.arguments import NoEquivalent
from nnspec.keras_import.lift.attention import attention, heads, reversible
from nnspec.keras_import.lift.created import created
from nnspec.keras_import.lift.recurrent import bidirectional, recurrent
from nnspec.keras_import.lift.standardization import normalization
from nnspec.keras_import.lift.wrappers import wrapping
from nnspec.keras_import.model import KerasCall, KerasLayer, tensors_in
from nnspec.keras_import.parts import Translation, Translator, Within, named, part, same
from nnspec.layers import LAYERS

__all__ = ["lifted"]


def _random_crop(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Check the input size: at inference, Keras's layer returns images uncropped, and the spec's layer their center."""
    [x] = tensors_in([call.args, call.kwargs])
    shape = within.shape_of(x)
    if shape is None or [*shape[1:3]] != [layer.config.get("height"), layer.config.get("width")]:
        help = "replace it with `CenterCrop` of the same size, which also crops at inference, and save the model again"
        raise NoEquivalent("at inference, Keras returns images uncropped, with a different size", help, setting=True)
    return named("RandomCrop", layer, call, within)


def _pooled(function: str) -> Translator:
    """Translate a global pooling, with the channels first to an expression."""

    def translate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
        if layer.config.get("data_format") != "channels_first":
            return named(layer.kind, layer, call, within)
        [x] = tensors_in([call.args, call.kwargs])
        axes = list(range(2, within.rank(x) or 3))
        keepdims = ", keepdims=true" if layer.config.get("keepdims") else ""
        return (part("Compute", {"results": {"output": f"{function}(x, axis={axes}{keepdims})"}}, [x]),)

    return translate


def _older(renamed: Mapping[str, str]) -> Translator:
    """Translate a layer whose arguments were renamed in Keras."""

    def translate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
        config = {renamed.get(name, name): value for name, value in layer.config.items()}
        return named(layer.kind, replace(layer, config=config), call, within)

    return translate


_OF_KERAS: Mapping[str, Translator] = {
    "AdditiveAttention": attention,
    "Attention": attention,
    "Bidirectional": bidirectional,
    "GRU": recurrent,
    "LSTM": recurrent,
    "LeakyReLU": _older({"alpha": "negative_slope"}),
    **{f"GlobalAveragePooling{rank}D": _pooled("mean") for rank in (1, 2, 3)},
    **{f"GlobalMaxPooling{rank}D": _pooled("max") for rank in (1, 2, 3)},
    "GroupQueryAttention": heads("GroupQueryAttention"),
    "MultiHeadAttention": heads("MultiHeadAttention"),
    "Normalization": normalization,
    "RNN": recurrent,
    "RandomCrop": _random_crop,
    "ReversibleEmbedding": reversible,
    "SimpleRNN": recurrent,
    "SpectralNormalization": wrapping("SpectralNormalization", rest_too=False),
    "TimeDistributed": wrapping("TimeDistributed", rest_too=True),
}
"""By Keras's name; all other layers have the same name in the spec."""


def _passed_on(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Drop a layer that only declares sizes, which the spec infers."""
    [x] = tensors_in([call.args, call.kwargs])
    return x


def _named(op: str) -> Translator:
    return lambda layer, call, within: named(op, layer, call, within)


_OF_OURS: Mapping[str, Translator] = {
    **{f"DilatedConv{rank}DTranspose": _named(f"Conv{rank}DTranspose") for rank in (1, 2, 3)},
    "Created": created,
    "EveryStep": wrapping("TimeDistributed", rest_too=True),
    "KnownSizes": _passed_on,
    "Normalization": same,
    "RandomCrop": same,
}
"""Layers of ``keras_backend.layers`` that need a different translator than Keras's layer or the default."""


def lifted(layer: KerasLayer) -> Translator | None:
    """Return the translator of a layer of Keras or ``keras_backend.layers``; None for other or unsupported layers."""
    if layer.is_operation or not (layer.is_keras or layer.is_ours):
        return None
    table = _OF_KERAS if layer.is_keras else {**_OF_KERAS, **_OF_OURS}
    return table.get(layer.kind) or (same if layer.kind in LAYERS else None)
