"""What the two ways of running a recurrence have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nnspec.layers.recurrence import Recurrent
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Array
from nnspec.onnx_backend.recurrence.mask import Mask, Outside

__all__ = ["Direction", "Track", "ended", "stacked"]


@dataclass(frozen=True)
class Direction:
    """One layer running through time one way.

    Attributes:
        layer: Its arguments.
        weights: Its arrays, by Keras's names.
        initial: Its initial states, batch × units each; without any they are 0.
        zero: Whether masked steps give 0; otherwise they repeat the step before.
        name: What its arrays are called after.
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
        """What stands at a masked step, in the order of time."""
        return "zero" if self.zero else "behind" if self.backwards else "before"


@dataclass(frozen=True)
class Track:
    """What came of a recurrence of one or two directions; what the layer does not give is empty.

    Attributes:
        steps: The output at every step, in the order of time.
        time_first: Whether ``steps`` is time, (directions,) batch, units; otherwise it is batch, time, (directions,) units.
        last: The output of the step that was run last: (directions,) batch, units.
        states: The states after it, likewise.
    """

    steps: str
    time_first: bool
    last: str
    states: tuple[str, ...]


def stacked(b: Builder, tensors: Sequence[str], axis: int) -> str:
    """Tensors side by side along a new axis; one alone stays as it is."""
    if len(tensors) == 1:
        return tensors[0]
    return b.op("Concat", *(b.op("Unsqueeze", tensor, b.ints([axis], "side")) for tensor in tensors), axis=axis)


def ended(b: Builder, direction: Direction, mask: Mask, last: str) -> str:
    """The last output where the step that ran last is masked: Keras then gives 0, if it gives 0 at masked steps."""
    if not direction.zero:
        return last
    return b.op("Where", mask.last_step(backwards=direction.backwards), last, b.constant(0, "zero", np.float32))
