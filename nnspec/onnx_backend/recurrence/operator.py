"""A recurrence as one ONNX operator, ``GRU`` or ``LSTM``: the fastest form, if ONNX Runtime has the activations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnspec.layers.recurrence import Recurrent
from nnspec.layers.recurrent import GRU, LSTM
from nnspec.onnx_backend.activation import CELL_ACTIVATIONS
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Array
from nnspec.onnx_backend.layout import arrange, declared
from nnspec.onnx_backend.recurrence.mask import Mask
from nnspec.onnx_backend.recurrence.track import Direction, Track, ended, stacked
from nnspec.onnx_backend.value import Value, time_first


@dataclass(frozen=True)
class _Form:
    """How a layer maps to an operator.

    Attributes:
        gates: Keras's index of each of the operator's gates, or None. LSTM's gates are i o f c in ONNX and i f c o in Keras.
        activations: The layer's activations in the operator's order.
    """

    gates: tuple[int | None, ...]
    activations: tuple[str, ...]


_FORMS: Mapping[type[Recurrent], _Form] = {
    GRU: _Form((0, 1, 2), ("recurrent_activation", "activation")),
    LSTM: _Form((0, 3, 1, 2), ("recurrent_activation", "activation", "activation")),
}


_COUPLED = (0, 2, None, 1)
"""LSTM's gates without weights of the forget gate: i c o in Keras."""


def fits(directions: Sequence[Direction]) -> bool:
    """Whether one operator can compute all directions."""
    first = directions[0].layer
    if type(first) not in _FORMS or (isinstance(first, GRU) and len({_after(direction) for direction in directions}) > 1):
        return False
    if len({_coupled(direction) for direction in directions}) > 1:
        return False
    return all(name in CELL_ACTIVATIONS for direction in directions for name in _activations(direction))


def operate(b: Builder, x: Value, mask: Mask | None, directions: Sequence[Direction]) -> Track:
    """Write the directions as one operator.

    Args:
        b: The graph.
        x: The input.
        mask: Its mask, if it has one.
        directions: One, or a forward and a backward one.
    """
    layer = directions[0].layer
    initial = [_together(b, states) for states in zip(*(direction.initial for direction in directions), strict=True)]
    inputs = [_steps_in(b, x, mask, directions), *_arrays(b, directions), mask.lengths() if mask else "", *initial]
    if peepholes := _peepholes(b, directions):
        inputs = [*inputs, *[""] * (7 - len(inputs)), peepholes]
    last_is_read = layer.return_state or not layer.return_sequences
    wanted = [layer.return_sequences, last_is_read, *[layer.return_state] * (len(layer.states) - 1)]
    steps, *ends = b.ops(type(layer).__name__, inputs, wanted, **_attributes(directions))
    if layer.return_sequences:
        return Track(_steps_out(b, steps, mask, directions), mask is None, "", _states(b, ends, initial, mask, directions))
    last = _apart(b, ends[0], directions)
    if mask is not None:
        last = ended(b, directions[0], mask, last)
    return Track("", mask is None, last, _states(b, ends, initial, mask, directions))


def _together(b: Builder, states: Sequence[str]) -> str:
    """A state of all directions: directions, batch, units."""
    return stacked(b, states, 0) if len(states) > 1 else b.op("Unsqueeze", states[0], b.ints([0], "direction"))


def _apart(b: Builder, state: str, directions: Sequence[Direction]) -> str:
    """A state, without the axis of directions if there is only one."""
    return b.op("Squeeze", state, b.ints([0], "direction")) if len(directions) == 1 else state


def _states(
    b: Builder, ends: Sequence[str], initial: Sequence[str], mask: Mask | None, directions: Sequence[Direction]
) -> tuple[str, ...]:
    if not directions[0].layer.return_state:
        return ()
    if mask is not None and initial:
        # For a row without steps ONNX Runtime returns the state 0 instead of the initial state.
        ends = [b.op("Where", mask.kept(), end, start) for end, start in zip(ends, initial, strict=True)]
    return tuple(_apart(b, end, directions) for end in ends)


def _steps_in(b: Builder, x: Value, mask: Mask | None, directions: Sequence[Direction]) -> str:
    if mask is None:
        return arrange(b, x, time_first(2)).name
    features = directions[0].weights["kernel"].shape[0]
    return b.op("Gather", b.op("Reshape", declared(b, x).name, b.ints([-1, features], "flat")), mask.compact())


def _steps_out(b: Builder, steps: str, mask: Mask | None, directions: Sequence[Direction]) -> str:
    if mask is None:
        return b.op("Squeeze", steps, b.ints([1], "direction_axis")) if len(directions) == 1 else steps
    flat = b.op("Reshape", steps, b.ints([-1, directions[0].layer.units], "rows"))
    return b.op("Gather", flat, mask.spread(len(directions), directions[0].outside))


def _arrays(b: Builder, directions: Sequence[Direction]) -> list[str]:
    """The transposed kernels and recurrent kernels, and the biases, with directions first."""
    gates = _COUPLED if _coupled(directions[0]) else _FORMS[type(directions[0].layer)].gates
    parts: list[tuple[Array, Array, Array]] = []
    for direction in directions:
        weights = direction.weights
        bias = weights.get("bias", np.zeros(weights["kernel"].shape[1], np.float32))
        biases = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
        kernels = (_ordered(weights[name].T, gates) for name in ("kernel", "recurrent_kernel"))
        parts.append((*kernels, np.concatenate([_ordered(half, gates) for half in biases])))  # type: ignore[arg-type]
    kernel, recurrent, bias = (np.stack(arrays) for arrays in zip(*parts, strict=True))
    has_bias = any("bias" in direction.weights for direction in directions)
    names = [b.constant(kernel, "kernel"), b.constant(recurrent, "recurrent_kernel")]
    return [*names, b.constant(bias, "bias") if has_bias else ""]


def _ordered(array: Array, gates: Sequence[int | None]) -> Array:
    parts = np.split(array, len(gates) - gates.count(None))
    return np.concatenate([np.zeros_like(parts[0]) if gate is None else parts[gate] for gate in gates])


def _peepholes(b: Builder, directions: Sequence[Direction]) -> str:
    """The peephole weights, i o f in ONNX and i f o in Keras; empty if there are none."""
    if not any("peephole_kernel" in direction.weights for direction in directions):
        return ""
    gates = (0, 1, None) if _coupled(directions[0]) else (0, 2, 1)
    zeros = np.zeros((3 - gates.count(None), directions[0].layer.units), np.float32)
    kernels = [_ordered(direction.weights.get("peephole_kernel", zeros), gates).ravel() for direction in directions]
    return b.constant(np.stack(kernels), "peephole_kernel")


def _coupled(direction: Direction) -> bool:
    return isinstance(direction.layer, LSTM) and direction.layer.coupled_gates


def _attributes(directions: Sequence[Direction]) -> dict[str, Any]:
    way = "bidirectional" if len(directions) == 2 else "reverse" if directions[0].backwards else "forward"
    attributes: dict[str, Any] = {"hidden_size": directions[0].layer.units}
    if way != "forward":
        attributes["direction"] = way
    if isinstance(directions[0].layer, GRU) and _after(directions[0]):
        attributes["linear_before_reset"] = 1
    if _coupled(directions[0]):
        attributes["input_forget"] = 1
    chosen = [CELL_ACTIVATIONS[name] for direction in directions for name in _activations(direction)]
    if [name for name, _, _ in chosen] == ["Sigmoid", *["Tanh"] * (len(chosen) // len(directions) - 1)] * len(directions):
        return attributes
    attributes["activations"] = [name for name, _, _ in chosen]
    # Only activations with parameters have an entry: with one for each, ONNX Runtime silently computes wrong results.
    for place, key in ((1, "activation_alpha"), (2, "activation_beta")):
        attributes[key] = [entry[place] for entry in chosen if entry[place] is not None] or None
    return attributes


def _activations(direction: Direction) -> list[str]:
    return [getattr(direction.layer, name) or "linear" for name in _FORMS[type(direction.layer)].activations]


def _after(direction: Direction) -> bool:
    assert isinstance(direction.layer, GRU)
    return direction.layer.reset_after
