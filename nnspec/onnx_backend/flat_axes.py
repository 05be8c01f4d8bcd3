"""Reshapes tensors of many axes to batch, time and features, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.value import Value
from nnspec.types import TensorType, product, unknown

__all__ = ["FlatAxes"]


@dataclass(frozen=True)
class FlatAxes:
    """The axes that are merged into the batch and into time. The batch axis is 0.

    Attributes:
        b: The graph.
        others: The axes merged into the batch.
        attended: The axes merged into time.
    """

    b: Builder
    others: tuple[int, ...]
    attended: tuple[int, ...]

    @property
    def is_needless(self) -> bool:
        """Whether tensors already have this form."""
        return not self.others and len(self.attended) == 1

    def flattened(self, x: Value) -> Value:
        """A tensor and its mask as batch, time, features; cached per tensor."""
        if self.is_needless:
            return x
        name, mask = self.b.once(("flat", x.name, x.mask, self.others, self.attended), lambda: self._flat(x))
        return Value.declared(name, TensorType((unknown(), x.type.shape[-1]), x.type.dtype), mask)

    def _flat(self, x: Value) -> tuple[str, str | None]:
        b, lead = self.b, 1 + len(self.others)
        turned = self._turned(x)
        features = b.op("Shape", turned, start=-1)
        steps = product(x.type.shape[axis - 1] for axis in self.attended)
        count = b.ints([steps], "steps") if isinstance(steps, int) else self._count(turned, lead)
        shape = b.op("Concat", b.constant([-1], "rows", np.int64), count, features, axis=0)
        mask = None if x.mask is None else self._rows_of_mask(x.mask, turned, lead)
        return b.op("Reshape", turned, shape), mask

    def _count(self, turned: str, lead: int) -> str:
        return self.b.reduce("ReduceProd", self.b.op("Shape", turned, start=lead, end=-1), [0], keepdims=True)

    def _rows_of_mask(self, mask: str, turned: str, lead: int) -> str:
        """The mask of each example, repeated for all of its rows."""
        b = self.b
        if lead == 1:
            return mask
        wide = b.op("Unsqueeze", mask, b.ints(range(1, lead), "others"))
        steps = b.op("Shape", mask, start=1, end=2)
        wide = b.op("Expand", wide, b.op("Concat", b.op("Shape", turned, start=0, end=lead), steps, axis=0))
        return b.op("Reshape", wide, b.op("Concat", b.constant([-1], "rows", np.int64), steps, axis=0))

    def _turned(self, x: Value) -> str:
        """The tensor with axes in the order batch, others, attended, features."""
        order = [0, *self.others, *self.attended, x.type.rank]
        return x.name if order == sorted(order) else self.b.op("Transpose", x.name, perm=order)

    def restored(self, flat: str, like: Value, sizes: Sequence[int]) -> str:
        """Reshape batch, time, features to the axes of another tensor, with the given feature sizes."""
        if self.is_needless:
            return flat if len(sizes) == 1 else self.b.op("Reshape", flat, self.b.ints([0, 0, *sizes], "sizes"))
        b = self.b
        lead = b.op("Shape", self._turned(like), end=-1)
        whole = b.op("Reshape", flat, b.op("Concat", lead, b.ints(sizes, "sizes"), axis=0))
        order = [0, *self.others, *self.attended, *range(like.type.rank, like.type.rank + len(sizes))]
        return whole if order == sorted(order) else b.op("Transpose", whole, perm=[order.index(axis) for axis in sorted(order)])

    def pairs(self, scores: str, query: Value, key: Value, heads: int) -> str:
        """Reshape (batch, heads, steps, steps) to batch, others, heads, query axes, key axes."""
        if self.is_needless:
            return scores
        b, lead = self.b, 1 + len(self.others)
        ours = b.op("Shape", self._turned(query), start=0, end=lead), b.op("Shape", self._turned(query), start=lead, end=-1)
        theirs = b.op("Shape", self._turned(key), start=lead, end=-1)
        return b.op("Reshape", scores, b.op("Concat", ours[0], b.ints([heads], "count"), ours[1], theirs, axis=0))
