"""Keras's layers that are not simply ours of the same name and arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nnspec.keras_import.arguments import NoEqual, configured
from nnspec.keras_import.attentions import attention, heads, reversible
from nnspec.keras_import.model import KerasCall, KerasLayer, tensors_in
from nnspec.keras_import.normalization import normalization
from nnspec.keras_import.parts import Translation, Translator, Within, named, wired
from nnspec.keras_import.recurrences import bidirectional, recurrent
from nnspec.keras_import.wrappers import wrapping
from nnspec.layers import LAYERS

__all__ = ["OF_KERAS", "OF_OURS"]


def _sampling(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    made = configured(LAYERS.get("Sampling"), layer.config, within.left_out)
    return (wired(made, list(tensors_in(call.args))),)


def _random_crop(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
    """Outside training Keras's passes images on uncropped; ours gives the middle."""
    [x] = tensors_in([call.args, call.kwargs])
    shape = within.shape_of(x)
    if shape is None or [*shape[1:3]] != [layer.config.get("height"), layer.config.get("width")]:
        help = (
            "replace it by `CenterCrop` of the same size, which is the same in training and after it, and save the model again"
        )
        raise NoEqual("outside training Keras passes images on uncropped, of another size than it says", help, setting=True)
    return named("RandomCrop", layer, call, within)


def _older(renamed: Mapping[str, str]) -> Translator:
    """A layer whose arguments once had other names."""

    def translate(layer: KerasLayer, call: KerasCall, within: Within) -> Translation:
        config = {renamed.get(name, name): value for name, value in layer.config.items()}
        return named(layer.kind, replace(layer, config=config), call, within)

    return translate


OF_KERAS: Mapping[str, Translator] = {
    "AdditiveAttention": attention,
    "Attention": attention,
    "Bidirectional": bidirectional,
    "GRU": recurrent,
    "LSTM": recurrent,
    "LeakyReLU": _older({"alpha": "negative_slope"}),
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
"""By Keras's name; all others are ours of the same name."""


def _as(op: str) -> Translator:
    return lambda layer, call, within: named(op, layer, call, within)


OF_OURS: Mapping[str, Translator] = {
    "nnspec>CenterCrop": _as("CenterCrop"),
    "nnspec>EinsumDense": _as("EinsumDense"),
    "nnspec>EveryStep": wrapping("TimeDistributed", rest_too=True),
    "nnspec>MultiHeadAttention": heads("MultiHeadAttention"),
    "nnspec>PositionEmbedding": _as("PositionEmbedding"),
    "nnspec>RandomCrop": _as("RandomCrop"),
    "nnspec>RandomShear": _as("RandomShear"),
    "nnspec>Sampling": _sampling,
    "nnspec>SinusoidalPositionEncoding": _as("SinusoidalPositionEncoding"),
}
"""The layers that our own lowering adds to Keras's, by what they are registered as."""
