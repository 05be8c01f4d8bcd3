"""Bidirectional recurrent layers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.bidirectional import Bidirectional
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.recurrence.run import run, state_values
from nnspec.onnx_backend.recurrence.track import Direction, Track
from nnspec.onnx_backend.value import Value, as_declared, time_first


def _bidirectional(b: Builder, call: Call[Bidirectional]) -> Mapping[str, Value]:
    """Write both directions, as one operator if possible; with sequences, masked steps are 0, as in Keras."""
    layer = call.layer
    directions = []
    for way, one in (("forward", layer.forward), ("backward", layer.backward)):
        weights = {name.removeprefix(f"{way}/"): array for name, array in call.weights.items() if name.startswith(f"{way}/")}
        ports = [f"{way}_{state}" for state in one.states]
        initial = tuple(declared(b, call.inputs[port]).name for port in ports if port in call.inputs)
        directions.append(Direction(one, weights, initial, zero=one.return_sequences, name=f"{way}/"))
    track = run(b, call.x, directions)
    values = _merge(b, call, track)
    for index, way in enumerate(("forward", "backward")):
        parts = [b.op("Gather", state, b.constant(index, way, np.int64)) for state in track.states]
        values |= state_values(call.outputs, [f"{way}_{state}" for state in layer.forward.states], parts)
    return values


def _merge(b: Builder, call: Call[Bidirectional], track: Track) -> dict[str, Value]:
    """Merge the outputs of both directions, which are stacked along an axis."""
    if call.layer.forward.return_sequences:
        both, axes = track.steps, time_first(2) if track.time_first else as_declared(2)
        side = 1 if track.time_first else 2
    else:
        both, axes, side = track.last, as_declared(1), 0
    mode = call.layer.merge_mode
    if mode is None:
        parts = [
            b.op("Gather", both, b.constant(index, way, np.int64), axis=side)
            for index, way in enumerate(("forward", "backward"))
        ]
        mask = call.x.mask if call.output.mask is not None else None
        return {
            f"{way}_output": Value(part, call.output, axes, mask=mask)
            for way, part in zip(("forward", "backward"), parts, strict=True)
        }
    if mode == "concat":
        return {"output": Value(_concatenated(b, both, len(axes), side), call.output, axes)}
    kind = {"sum": "ReduceSum", "ave": "ReduceMean", "mul": "ReduceProd"}[mode]
    return {"output": Value(b.reduce(kind, both, [side], keepdims=False), call.output, axes)}


def _concatenated(b: Builder, both: str, rank: int, side: int) -> str:
    """Concatenate the features of both directions: a reshape if the axes are already adjacent."""
    if side < rank - 1:
        order = [axis for axis in range(rank + 1) if axis != side]
        both = b.op("Transpose", both, perm=[*order[:-1], side, order[-1]])
    return b.op("Reshape", both, b.ints([*[0] * (rank - 1), -1], "joined"))


TABLE: Mapping[type[Layer], Lowering] = {Bidirectional: _bidirectional}
