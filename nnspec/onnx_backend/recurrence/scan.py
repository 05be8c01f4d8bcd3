"""A recurrence as a ``Scan``: any cell and activation, with the input projection outside the loop.

For ``SimpleRNN`` it is faster than ONNX Runtime's ``RNN``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nnspec.layers.recurrence import RecurrentStep
from nnspec.layers.recurrent import GRUStep, LSTMStep, SimpleRNNStep
from nnspec.onnx_backend.activation import apply
from nnspec.onnx_backend.builder import Body, Builder
from nnspec.onnx_backend.call import Array
from nnspec.onnx_backend.layout import arrange
from nnspec.onnx_backend.recurrence.mask import Mask
from nnspec.onnx_backend.recurrence.track import Direction, Track, ended, stacked
from nnspec.onnx_backend.value import Value, time_first
from nnspec.types import TensorType


def scan(b: Builder, x: Value, mask: Mask | None, directions: Sequence[Direction]) -> Track:
    """Write each direction as its own ``Scan``.

    Args:
        b: The graph.
        x: The input.
        mask: Its mask, if it has one.
        directions: One, or a forward and a backward one.
    """
    x = arrange(b, x, time_first(2))
    tracks = [_scan(b, x, mask, direction) for direction in directions]
    states = [stacked(b, pair, 0) for pair in zip(*(track.states for track in tracks), strict=True)]
    sequences = directions[0].layer.return_sequences
    steps = stacked(b, [track.steps for track in tracks], 1) if sequences else ""
    last = stacked(b, [track.last for track in tracks], 0) if not sequences else ""
    return Track(steps, True, last, tuple(states))


def _scan(b: Builder, x: Value, mask: Mask | None, direction: Direction) -> Track:
    layer = direction.layer
    projected = project(b, x.name, direction.weights, direction.name)
    states = list(direction.initial) or [_zeros(b, x, layer.units) for _ in layer.states]
    body = _body(b, direction, mask is not None)
    inputs = [*states, projected, *([mask.by_step()] if mask else [])]
    ways = [int(direction.backwards)] * (len(inputs) - len(states))
    *ends, steps = b.ops(
        "Scan",
        inputs,
        len(states) + int(layer.return_sequences),
        bodies={"body": body},
        num_scan_inputs=len(ways),
        scan_input_directions=ways if direction.backwards else None,
        scan_output_directions=[1] if direction.backwards and layer.return_sequences else None,
    ) + ([] if layer.return_sequences else [""])
    last = ends[0]
    if mask is not None:
        steps = _outside(b, steps, mask, direction) if layer.return_sequences else ""
        if direction.initial:
            # If all steps are masked, Keras returns 0, not the initial state.
            last = b.op("Where", mask.kept(), last, b.constant(0, "zero", np.float32))
        last = ended(b, direction, mask, last)
    return Track(steps, True, last, tuple(ends) if layer.return_state else ())


def _outside(b: Builder, steps: str, mask: Mask, direction: Direction) -> str:
    """Fix outputs at masked steps: the loop repeats the state, as Keras does except for an initial state."""
    if direction.zero:
        return b.op("Where", mask.by_step(), steps, b.constant(0, "zero", np.float32))
    if not direction.initial:
        return steps
    return b.op("Where", mask.reached(backwards=direction.backwards), steps, b.constant(0, "zero", np.float32))


def project(b: Builder, x: str, weights: Mapping[str, Array], name: str = "") -> str:
    """The input projection, of all steps or of one.

    Args:
        b: The graph.
        x: The input.
        weights: The arrays of the layer or cell, by Keras's names.
        name: The prefix of their names.
    """
    y = b.op("MatMul", x, b.constant(weights["kernel"], f"{name}kernel"))
    if "bias" not in weights:
        return y
    bias = weights["bias"]
    return b.op("Add", y, b.constant(bias[0] if bias.ndim == 2 else bias, f"{name}bias"))


def _zeros(b: Builder, x: Value, units: int) -> str:
    """A state of zeros: batch, units."""
    batch = b.op("Shape", x.name, start=1, end=2)
    return b.op("ConstantOfShape", b.op("Concat", batch, b.ints([units], "units"), axis=0))


def _body(b: Builder, direction: Direction, masked: bool) -> Body:
    layer, units = direction.layer, direction.layer.units
    with b.body() as body:
        states = [b.name(state) for state in layer.states]
        step, keep = b.name("step"), b.name("keep")
        new = next_states(b, CellStep(layer, direction.weights, step, states, direction.name))
        if masked:
            new = [b.op("Where", keep, after, before) for after, before in zip(new, states, strict=True)]
        if layer.return_sequences:
            new.append(new[0])
    width = direction.weights["kernel"].shape[1]
    body.inputs = [(state, TensorType((units,))) for state in states] + [(step, TensorType((width,)))]
    if masked:
        body.inputs.append((keep, TensorType((1,), "bool")))
    body.outputs = [(tensor, TensorType((units,))) for tensor in new]
    return body


@dataclass(frozen=True)
class CellStep:
    """A cell with its inputs at one step.

    Attributes:
        layer: The layer's arguments.
        weights: The layer's arrays, by Keras's names.
        x: The input projection of this step.
        states: The previous states.
        name: The prefix of the names of the arrays.
    """

    layer: RecurrentStep
    weights: Mapping[str, Array]
    x: str
    states: Sequence[str]
    name: str = ""

    def recurrent(self, b: Builder, gates: slice = slice(None)) -> str:
        """The recurrent kernel of some gates; by default of all."""
        kernel = self.weights["recurrent_kernel"]
        width = self.layer.units
        part = kernel if gates == slice(None) else kernel[:, gates.start * width : gates.stop * width]
        return b.constant(part, f"{self.name}recurrent_kernel")


def _split(b: Builder, tensor: str, parts: int) -> list[str]:
    return b.ops("Split", [tensor], parts, axis=-1, num_outputs=parts if b.opset >= 18 else None)


def _simple(b: Builder, step: CellStep) -> list[str]:
    return [apply(b, b.op("Gemm", step.states[0], step.recurrent(b), step.x), step.layer.activation)]


def _lstm(b: Builder, step: CellStep) -> list[str]:
    layer = step.layer
    assert isinstance(layer, LSTMStep)
    state_h, state_c = step.states
    parts = _split(b, b.op("Gemm", state_h, step.recurrent(b), step.x), layer.gate_count)

    def gate(index: int, cell: str) -> str:
        seen = parts[index]
        if layer.peephole:
            row = step.weights["peephole_kernel"][min(index, layer.gate_count - 2)]
            seen = b.op("Add", seen, b.op("Mul", cell, b.constant(row, f"{step.name}peephole_kernel")))
        return apply(b, seen, layer.recurrent_activation)

    i = gate(0, state_c)
    f = b.op("Sub", b.constant(1, "one", np.float32), i) if layer.coupled_gates else gate(1, state_c)
    candidate = apply(b, parts[-2], layer.activation)
    carry = b.op("Add", b.op("Mul", f, state_c), b.op("Mul", i, candidate))
    return [b.op("Mul", gate(layer.gate_count - 1, carry), apply(b, carry, layer.activation)), carry]


def _gru(b: Builder, step: CellStep) -> list[str]:
    layer = step.layer
    assert isinstance(layer, GRUStep)
    [state] = step.states
    x_z, x_r, x_h = _split(b, step.x, 3)
    if layer.reset_after:
        bias = step.weights.get("bias")
        more = [b.constant(bias[1], f"{step.name}recurrent_bias")] if bias is not None else []
        inner_z, inner_r, inner_h = _split(b, b.op("Gemm", state, step.recurrent(b), *more), 3)
    else:
        inner_z, inner_r = _split(b, b.op("MatMul", state, step.recurrent(b, slice(0, 2))), 2)
    z, r = (apply(b, b.op("Add", *pair), layer.recurrent_activation) for pair in ((x_z, inner_z), (x_r, inner_r)))
    if layer.reset_after:
        inner_h = b.op("Mul", r, inner_h)
    else:
        inner_h = b.op("MatMul", b.op("Mul", r, state), step.recurrent(b, slice(2, 3)))
    candidate = apply(b, b.op("Add", x_h, inner_h), layer.activation)
    rest = b.op("Sub", b.constant(1, "one", np.float32), z)
    return [b.op("Add", b.op("Mul", z, state), b.op("Mul", rest, candidate))]


def next_states(b: Builder, step: CellStep) -> list[str]:
    """The states after a step; the first is the output."""
    write = next(write for kind, write in _CELLS.items() if isinstance(step.layer, kind))
    return write(b, step)


_CELLS: Mapping[type[RecurrentStep], Callable[[Builder, CellStep], list[str]]] = {
    SimpleRNNStep: _simple,
    LSTMStep: _lstm,
    GRUStep: _gru,
}
