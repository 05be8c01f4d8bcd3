"""Writes a recurrence in the fastest applicable form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.recurrence.mask import Mask
from nnspec.onnx_backend.recurrence.operator import fits, operate
from nnspec.onnx_backend.recurrence.scan import scan
from nnspec.onnx_backend.recurrence.track import Direction, Track
from nnspec.onnx_backend.value import Value
from nnspec.types import TensorType


def run(b: Builder, x: Value, directions: Sequence[Direction]) -> Track:
    """Write one or two directions, as one operator if it is equivalent, else as a ``Scan`` each."""
    mask = Mask(b, x.mask) if x.mask is not None else None
    return (operate if fits(directions) else scan)(b, x, mask, directions)


def state_values(outputs: Mapping[str, TensorType], names: Sequence[str], states: Sequence[str]) -> dict[str, Value]:
    """The states as outputs of the layer; empty if it does not return them."""
    return {name: Value.declared(state, outputs[name]) for name, state in zip(names, states, strict=False)}
