"""Attention with several heads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from nnspec.keras_backend import layers
from nnspec.keras_backend.call import Build, Call, Lowering, mask_of
from nnspec.keras_backend.objects import keras_object
from nnspec.layers.base import Layer
from nnspec.layers.heads import HeadAttention
from nnspec.layers.multi_head_attention import MultiHeadAttention

__all__ = ["TABLE", "attended"]


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


TABLE: Mapping[type[Layer], Lowering] = {MultiHeadAttention: _multi_head}
