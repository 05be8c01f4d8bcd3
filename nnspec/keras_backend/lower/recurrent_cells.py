"""One step of the recurrent layers."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.keras_backend.call import Build, Call, Lowering
from nnspec.keras_backend.layers import CELLS
from nnspec.keras_backend.objects import arguments
from nnspec.layers.base import Layer
from nnspec.layers.recurrent_cells import GRUCell, LSTMCell, RecurrentCell, SimpleRNNCell


def _cell(build: Build[RecurrentCell]) -> Call:
    beyond = {name: getattr(build.layer, name) for name in build.layer.beyond_keras}
    keras_layer = CELLS[type(build.layer).__name__](name=build.name, **arguments(build.layer, build.seeds), **beyond)
    return lambda tensors: keras_layer(list(tensors.values()))


TABLE: Mapping[type[Layer], Lowering] = {GRUCell: _cell, LSTMCell: _cell, SimpleRNNCell: _cell}
