"""Inputs and results of a recurrence, common to both forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nnspec.layers.recurrence import Recurrent
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Array
from nnspec.onnx_backend.recurrence.mask import Mask, Outside


@dataclass(frozen=True)
class Direction:
    """A recurrent layer that runs in one direction of time.

    Attributes:
        layer: The layer's arguments.
        weights: The layer's arrays, by Keras's names.
        initial: The initial states, batch × units each; 0 if empty.
        zero: Whether the output at masked steps is 0; otherwise the previous output is repeated.
        name: The name of its arrays.
    """

    layer: Recurrent
    weights: Mapping[str, Array]
    initial: tuple[str, ...]
    zero: bool
    name: str = ""

    @property
    def backwards(self) -> bool:
        return self.layer.go_backwards

    @property
    def outside(self) -> Outside:
        """The output at a masked step, in time order."""
        return "zero" if self.zero else "behind" if self.backwards else "before"


@dataclass(frozen=True)
class Track:
    """The result of a recurrence of one or two directions; tensors that the layer does not return are empty.

    Attributes:
        steps: The output at every step, in time order.
        time_first: Whether ``steps`` is time, (directions,) batch, units; otherwise it is batch, time, (directions,) units.
        last: The output of the step that was computed last: (directions,) batch, units.
        states: The states after it, likewise.
    """

    steps: str
    time_first: bool
    last: str
    states: tuple[str, ...]


def stacked(b: Builder, tensors: Sequence[str], axis: int) -> str:
    """Stack tensors along a new axis; a single tensor is returned unchanged."""
    if len(tensors) == 1:
        return tensors[0]
    return b.op("Concat", *(b.op("Unsqueeze", tensor, b.ints([axis], "side")) for tensor in tensors), axis=axis)


def ended(b: Builder, direction: Direction, mask: Mask, last: str) -> str:
    """The last output; 0 if that step is masked and the output at masked steps is 0, as in Keras."""
    if not direction.zero:
        return last
    return b.op("Where", mask.last_step(backwards=direction.backwards), last, b.constant(0, "zero", np.float32))
