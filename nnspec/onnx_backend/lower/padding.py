"""Explicit padding of convolutions and pooling.

ONNX Runtime's ``auto_pad`` is wrong with dilation and if a stride exceeds the kernel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.value import Value
from nnspec.types import Condition, Dim, substitute


@dataclass(frozen=True)
class Window:
    """A sliding window over the spatial axes.

    Attributes:
        spans: The extent along each axis, including dilation.
        strides: The distance of neighboring windows along each axis.
        around: The padding before and after each axis; None for ``same``, which depends on the sizes.
    """

    spans: tuple[int, ...]
    strides: tuple[int, ...]
    around: tuple[tuple[int, int], ...] | None


def padded(b: Builder, x: Value, window: Window, fill: float = 0.0) -> tuple[Value, list[int]]:
    """The input, and the ``pads`` attribute for it.

    Args:
        b: The graph.
        x: The input, channels first.
        window: The window.
        fill: The padding value of a separate `Pad` node, which is needed if sizes are known only at run time.
    """
    lead = [0] * (len(x.axes) - x.type.rank - 1)
    around = window.around or _known(b, x, window)
    if around is not None:
        return x, [*lead, *(before for before, _ in around), *lead, *(after for _, after in around)]
    name = b.op("Pad", x.name, _computed(b, x, window, lead), b.constant(fill, "fill", np.float32))
    return replace(x, name=name), [0] * 2 * (len(x.axes) - 2)


def _known(b: Builder, x: Value, window: Window) -> tuple[tuple[int, int], ...] | None:
    """The padding of ``same``: (⌈n / s⌉ − 1) · s + span − n, the odd one after; None if n is unknown."""
    pairs = []
    for size, span, stride in zip(x.type.shape[:-1], window.spans, window.strides, strict=True):
        if stride == 1 or _divides(stride, size, b.conditions):
            total = max(span - stride, 0)
        elif isinstance(size, int):
            total = max((-(-size // stride) - 1) * stride + span - size, 0)
        else:
            return None
        pairs.append((total // 2, total - total // 2))
    return tuple(pairs)


def _divides(stride: int, size: int | Dim, conditions: Mapping[str, Condition]) -> bool:
    """Whether a stride certainly divides a size, so that its value is not needed."""
    size = substitute(size, {name: condition.whole(name) for name, condition in conditions.items()})
    return size // stride * stride == size


def _computed(b: Builder, x: Value, window: Window, lead: Sequence[int]) -> str:
    """The padding computed at run time from the input's shape, for all axes of the ONNX tensor."""
    span = b.ints([*(1 for _ in lead), *window.spans], "spans")
    stride, one = b.ints([*(1 for _ in lead), *window.strides], "strides"), b.ints([1], "one")
    size = b.op("Shape", x.name, start=2)
    steps = b.op("Mul", b.op("Div", b.op("Sub", size, one), stride), stride)
    total = b.op("Max", b.op("Sub", b.op("Add", steps, span), size), b.ints([0], "zero"))
    before = b.op("Div", total, b.ints([2], "two"))
    none = b.ints([0, 0], "none")
    return b.op("Concat", none, before, none, b.op("Sub", total, before), axis=0)
