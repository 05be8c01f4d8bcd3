"""Recurrent layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.recurrent import GRU, LSTM, Bidirectional, Recurrent, SimpleRNN
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.recurrence.mask import Mask
from nnspec.onnx_backend.recurrence.operator import fits, operate
from nnspec.onnx_backend.recurrence.scan import scan
from nnspec.onnx_backend.recurrence.track import Direction, Track
from nnspec.onnx_backend.value import Value, as_declared, time_first
from nnspec.types import TensorType

__all__ = ["TABLE"]


def _recurrent(b: Builder, call: Call[Recurrent]) -> Mapping[str, Value]:
    layer = call.layer
    initial = tuple(declared(b, call.inputs[port]).name for port in layer.states if port in call.inputs)
    track = _run(b, call.x, [Direction(layer, call.weights, initial, zero=layer.zero_output_for_mask)])
    values = {"output": Value.declared(track.last, call.output)}
    if layer.return_sequences:
        axes = time_first(2) if track.time_first else as_declared(2)
        # Keras gives the steps in the order in which they were run.
        steps = _reversed(b, track.steps, axes.index(1)) if layer.go_backwards else track.steps
        values["output"] = Value(steps, call.output, axes)
    return values | _states(call.outputs, layer.states, track.states)


def _bidirectional(b: Builder, call: Call[Bidirectional]) -> Mapping[str, Value]:
    layer = call.layer
    directions = []
    for way, one in (("forward", layer.forward), ("backward", layer.backward)):
        weights = {name.removeprefix(f"{way}/"): array for name, array in call.weights.items() if name.startswith(f"{way}/")}
        ports = [f"{way}_{state}" for state in one.states]
        initial = tuple(declared(b, call.inputs[port]).name for port in ports if port in call.inputs)
        directions.append(Direction(one, weights, initial, zero=one.return_sequences, name=f"{way}/"))
    track = _run(b, call.x, directions)
    values = _merged(b, call, track)
    for index, way in enumerate(("forward", "backward")):
        parts = [b.op("Gather", state, b.constant(index, way, np.int64)) for state in track.states]
        values |= _states(call.outputs, [f"{way}_{state}" for state in layer.forward.states], parts)
    return values


def _run(b: Builder, x: Value, directions: Sequence[Direction]) -> Track:
    mask = Mask(b, x.mask) if x.mask is not None else None
    run = operate if fits(directions) else scan
    return run(b, x, mask, directions)


def _states(outputs: Mapping[str, TensorType], names: Sequence[str], states: Sequence[str]) -> dict[str, Value]:
    return {name: Value.declared(state, outputs[name]) for name, state in zip(names, states, strict=False)}


def _reversed(b: Builder, tensor: str, axis: int) -> str:
    bounds = (b.ints([value], hint) for value, hint in ((-1, "from"), (-(2**62), "to"), (axis, "axis"), (-1, "step")))
    return b.op("Slice", tensor, *bounds)


def _merged(b: Builder, call: Call[Bidirectional], track: Track) -> dict[str, Value]:
    """Both directions' outputs as one; they stand side by side along an axis of their own."""
    if call.layer.forward.return_sequences:
        both, axes = track.steps, time_first(2) if track.time_first else as_declared(2)
        side = 1 if track.time_first else 2
    else:
        both, axes, side = track.last, as_declared(1), 0
    mode = call.layer.merge_mode
    if mode is None:
        parts = [b.op("Gather", both, b.constant(index, way, np.int64), axis=side) for index, way in enumerate(("forward", "backward"))]
        mask = call.x.mask if call.output.mask is not None else None
        return {f"{way}_output": Value(part, call.output, axes, mask=mask) for way, part in zip(("forward", "backward"), parts, strict=True)}
    if mode == "concat":
        return {"output": Value(_concatenated(b, both, len(axes), side), call.output, axes)}
    kind = {"sum": "ReduceSum", "ave": "ReduceMean", "mul": "ReduceProd"}[mode]
    return {"output": Value(b.reduce(kind, both, [side], keepdims=False), call.output, axes)}


def _concatenated(b: Builder, both: str, rank: int, side: int) -> str:
    """Features of one direction behind those of the other; where the directions already lie beside them, that is a reshape."""
    if side < rank - 1:
        order = [axis for axis in range(rank + 1) if axis != side]
        both = b.op("Transpose", both, perm=[*order[:-1], side, order[-1]])
    return b.op("Reshape", both, b.ints([*[0] * (rank - 1), -1], "joined"))


TABLE: Mapping[type[Layer], Lowering] = {
    GRU: _recurrent,
    LSTM: _recurrent,
    SimpleRNN: _recurrent,
    Bidirectional: _bidirectional,
}
