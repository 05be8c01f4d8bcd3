"""Attention with one head."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import keras

from nnspec.keras_backend import layers
from nnspec.keras_backend.call import Build, Call, Lowering, mask_of
from nnspec.keras_backend.layers.attention import FLOAT64
from nnspec.keras_backend.objects import keras_object
from nnspec.keras_backend.precision import is_float64
from nnspec.layers.attention import AdditiveAttention, Attention, DotAttention, GroupQueryAttention, MultiHeadAttention
from nnspec.layers.base import Layer
from nnspec.layers.heads import HeadAttention


def _attention(build: Build[DotAttention]) -> Call:
    return build.call(FLOAT64[type(build.layer).__name__] if is_float64() else None)


def _multi_head(build: Build[MultiHeadAttention]) -> Call:
    return attended(build, layers.MultiHeadAttention if build.layer.return_attention_scores else None)


def attended(build: Build[HeadAttention], kind: Any = None) -> Call:
    """Passes copies of masked tensors. Keras 3.15.1 removes the masks of its inputs, also for other layers that read them.

    Args:
        build: The layer to build.
        kind: The class of its Keras layer; by default that of its name.
    """
    keras_layer = keras_object(build.layer, build.seeds, kind, name=build.name)

    def copied(port: str, tensor: Any) -> Any:
        return tensor if mask_of(tensor) is None else keras.layers.Rescaling(1.0, name=f"{build.name}.{port}")(tensor)

    def call(tensors: Mapping[str, Any], **at_call: Any) -> Any:
        found = keras_layer(**{port: copied(port, tensor) for port, tensor in tensors.items()}, **at_call)
        # When it runs, Keras attaches a mask to the scores.
        return (found[0], keras.ops.copy(found[1])) if at_call["return_attention_scores"] else found

    return call


TABLE: Mapping[type[Layer], Lowering] = {
    AdditiveAttention: _attention,
    Attention: _attention,
    MultiHeadAttention: _multi_head,
    GroupQueryAttention: partial(attended, kind=layers.GroupQueryAttention),
}
