"""A recurrent layer in both directions."""

from __future__ import annotations

from collections.abc import Mapping

import keras

from nnspec.keras_backend.call import Build, Call, Lowering
from nnspec.keras_backend.lower.recurrent import recurrent_layer, with_states
from nnspec.layers.base import Layer
from nnspec.layers.bidirectional import Bidirectional


def _bidirectional(build: Build[Bidirectional]) -> Call:
    """Builds both directions, because Keras would give the backward layer the forward layer's initial weights."""
    layer, seeds = build.layer, build.seeds
    kind = type(layer.forward).__name__.lower()
    forward = recurrent_layer(layer.forward, kind, seeds.within("forward"))
    backward = recurrent_layer(layer.backward, f"backward_{kind}", seeds.within("backward"))
    both = keras.layers.Bidirectional(forward, merge_mode=layer.merge_mode, backward_layer=backward, name=build.name)
    return with_states(both)


TABLE: Mapping[type[Layer], Lowering] = {Bidirectional: _bidirectional}
