"""Exact masking of time steps for arbitrary masks, by compaction.

ONNX's recurrent operators accept sequence lengths but no holes. Compaction moves the unmasked steps of each row to the front,
in order, so that a length suffices; results are moved back afterwards. Both are a single `Gather` over flattened batch and
time, which also transposes.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from nnspec.onnx_backend.builder import Builder

Outside = Literal["zero", "before", "behind"]
"""The output at a masked step: 0, the previous unmasked step, or the next one; 0 if there is none."""


class Mask:
    """Tensors derived from a mask; each is written into the graph once.

    Args:
        b: The graph.
        name: The mask, boolean: batch, time.
    """

    def __init__(self, b: Builder, name: str) -> None:
        self._b = b
        self.name = name

    def lengths(self) -> str:
        """The number of unmasked steps, int32: batch."""
        return self._once(
            "lengths", lambda b: b.op("Cast", b.op("ReduceSum", self._number(), b.ints([1], "time"), keepdims=0), to=6)
        )

    def kept(self) -> str:
        """Whether a row has an unmasked step, boolean: batch, 1."""
        return self._once("kept", lambda b: b.op("Greater", b.op("Unsqueeze", self.lengths(), b.ints([1], "one")), _zero32(b)))

    def reached(self, *, backwards: bool) -> str:
        """Whether there is an unmasked step up to each step, boolean: time, batch, 1."""

        def make(b: Builder) -> str:
            sums = b.op("CumSum", self._number(), b.constant(1, "along", np.int64), reverse=int(backwards))
            return b.op("Unsqueeze", b.op("Transpose", b.op("Cast", sums, to=9), perm=[1, 0]), b.ints([2], "two"))

        return self._once(f"reached_{backwards}", make)

    def by_step(self) -> str:
        """The mask: time, batch, 1."""
        return self._once("by_step", lambda b: b.op("Unsqueeze", b.op("Transpose", self.name, perm=[1, 0]), b.ints([2], "two")))

    def last_step(self, *, backwards: bool) -> str:
        """The mask of the step that is computed last: batch, 1."""

        def make(b: Builder) -> str:
            end = b.constant(0 if backwards else -1, "end", np.int64)
            return b.op("Unsqueeze", b.op("Gather", self.name, end, axis=1), b.ints([1], "one"))

        return self._once(f"last_step_{backwards}", make)

    def compact(self) -> str:
        """The indices of the unmasked steps, then of the others, in a (batch · time) tensor: time, batch."""

        def make(b: Builder) -> str:
            # TopK is stable.
            _, order = b.ops("TopK", [b.op("Cast", self.name, to=1), self._size(1)], 2, axis=1)
            start = b.op("Mul", self._rows(), self._size(1))
            return b.op("Add", b.op("Transpose", order, perm=[1, 0]), start)

        return self._once("compact", make)

    def spread(self, directions: int, outside: Outside) -> str:
        """The index of each step's result in a compacted (time · directions · batch) tensor.

        ONNX Runtime pads sequences with 0, and a row with a masked step has such padding: its last position.

        Args:
            directions: The number of directions.
            outside: The output at masked steps.

        Returns:
            Batch, time; with 2 directions batch, time, directions.
        """

        def make(b: Builder) -> str:
            place = b.op("Mul", self._place(outside), b.op("Mul", self._size(0), b.ints([directions], "directions")))
            place = b.op("Add", place, b.op("Unsqueeze", self._rows(), b.ints([1], "one")))
            if directions == 1:
                return place
            way = b.op("Mul", self._size(0), b.ints(range(directions), "way"))
            return b.op("Add", b.op("Unsqueeze", place, b.ints([2], "two")), way)

        return self._once(f"spread_{directions}_{outside}", make)

    def _place(self, outside: Outside) -> str:
        b = self._b
        one = b.ints([1], "one")
        sums = self._once("sums", lambda b: b.op("CumSum", self._number(), b.constant(1, "along", np.int64)))
        if outside == "behind":
            return b.op("Sub", sums, self._number())
        place = b.op("Sub", sums, one)
        if outside == "before":
            return b.op("Mod", place, self._size(1))
        return b.op("Where", self.name, place, b.op("Sub", self._size(1), one))

    def _number(self) -> str:
        return self._once("number", lambda b: b.op("Cast", self.name, to=7))

    def _size(self, axis: int) -> str:
        """The size of an axis, int64: 1."""
        return self._once(f"size_{axis}", lambda b: b.op("Shape", self.name, start=axis, end=axis + 1))

    def _rows(self) -> str:
        """The row indices, int64: batch."""
        zero, one = self._b.constant(0, "first", np.int64), self._b.constant(1, "step", np.int64)
        return self._once("rows", lambda b: b.op("Range", zero, b.op("Squeeze", self._size(0)), one))

    def _once(self, what: str, make: object) -> str:
        assert callable(make)
        with self._b.at(self._b.wanted(self.name)):
            return str(self._b.once((what, self.name), lambda: make(self._b)))


def _zero32(b: Builder) -> str:
    return b.constant(0, "zero", np.int32)
