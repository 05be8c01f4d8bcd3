"""Recurrent layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from nnspec.keras_backend.call import Build, Call, Lowering, mask_of
from nnspec.keras_backend.layers import GatedLSTMCell
from nnspec.keras_backend.objects import arguments, keras_object
from nnspec.keras_backend.seeds import Seeds
from nnspec.layers.base import Layer
from nnspec.layers.recurrence import Recurrent
from nnspec.layers.recurrent import GRU, LSTM, SimpleRNN

_OF_THE_LOOP = ("return_sequences", "return_state", "go_backwards", "zero_output_for_mask", "activity_regularizer")


def _recurrent(build: Build[Recurrent]) -> Call:
    return with_states(recurrent_layer(build.layer, build.name, build.seeds))


def recurrent_layer(layer: Recurrent, name: str, seeds: Seeds) -> Any:
    """Keras's layer of the same name, or our cell in Keras's ``RNN``."""
    if not (isinstance(layer, LSTM) and (layer.peephole or layer.coupled_gates)):
        return keras_object(layer, seeds, name=name)
    given = arguments(layer, seeds)
    loop = {argument: given.pop(argument) for argument in _OF_THE_LOOP}
    cell = GatedLSTMCell(peephole=layer.peephole, coupled_gates=layer.coupled_gates, name="cell", **given)
    return keras.layers.RNN(cell, name=name, **loop)


def with_states(keras_layer: Any) -> Call:
    """Passes initial states, and with them the mask, which Keras otherwise ignores."""

    def call(tensors: Mapping[str, Any]) -> Any:
        x, *states = tensors.values()
        return keras_layer(x, initial_state=states, mask=mask_of(x)) if states else keras_layer(x)

    return call


TABLE: Mapping[type[Layer], Lowering] = {GRU: _recurrent, LSTM: _recurrent, SimpleRNN: _recurrent}
