"""One step of the recurrent layers."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.recurrent_cells import GRUCell, LSTMCell, RecurrentCell, SimpleRNNCell
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.recurrence.scan import CellStep, next_states, project
from nnspec.onnx_backend.value import Value


def _cell(b: Builder, call: Call[RecurrentCell]) -> Mapping[str, Value]:
    x, *states = (declared(b, value).name for value in call.inputs.values())
    new = next_states(b, CellStep(call.layer, call.weights, project(b, x, call.weights), states))
    return {name: Value.declared(state, call.outputs[name]) for name, state in zip(call.outputs, [new[0], *new], strict=True)}


TABLE: Mapping[type[Layer], Lowering] = {GRUCell: _cell, LSTMCell: _cell, SimpleRNNCell: _cell}
