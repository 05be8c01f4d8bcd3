"""Recurrent layers."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.recurrence import Recurrent
from nnspec.layers.recurrent import GRU, LSTM, SimpleRNN
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.recurrence.run import run, state_values
from nnspec.onnx_backend.recurrence.track import Direction
from nnspec.onnx_backend.value import Value, as_declared, time_first


def _recurrent(b: Builder, call: Call[Recurrent]) -> Mapping[str, Value]:
    layer = call.layer
    initial = tuple(declared(b, call.inputs[port]).name for port in layer.states if port in call.inputs)
    track = run(b, call.x, [Direction(layer, call.weights, initial, zero=layer.zero_output_for_mask)])
    values = {"output": Value.declared(track.last, call.output)}
    if layer.return_sequences:
        axes = time_first(2) if track.time_first else as_declared(2)
        # Keras returns the steps in the order of computation.
        steps = _reversed(b, track.steps, axes.index(1)) if layer.go_backwards else track.steps
        values["output"] = Value(steps, call.output, axes)
    return values | state_values(call.outputs, layer.states, track.states)


def _reversed(b: Builder, tensor: str, axis: int) -> str:
    bounds = (b.ints([value], hint) for value, hint in ((-1, "from"), (-(2**62), "to"), (axis, "axis"), (-1, "step")))
    return b.op("Slice", tensor, *bounds)


TABLE: Mapping[type[Layer], Lowering] = {
    GRU: _recurrent,
    LSTM: _recurrent,
    SimpleRNN: _recurrent,
}
