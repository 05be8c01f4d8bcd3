"""What stands around the input of a convolution or a pooling, as ONNX wants it: always written out.

``auto_pad`` would leave it to the runtime, and ONNX Runtime's is wrong with dilation and where a stride exceeds a kernel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.value import Value
from nnspec.types import Condition, Dim, substitute

__all__ = ["Window", "padded"]


@dataclass(frozen=True)
class Window:
    """A window that slides over the spatial axes.

    Attributes:
        spans: The positions it spans along each axis, dilation counted.
        strides: Positions between two neighbouring windows.
        around: Positions before and after each axis; None for ``same``, where that follows from the sizes.
    """

    spans: tuple[int, ...]
    strides: tuple[int, ...]
    around: tuple[tuple[int, int], ...] | None


def padded(b: Builder, x: Value, window: Window, fill: float = 0.0) -> tuple[Value, list[int]]:
    """The input, and the ``pads`` attribute that pads it.

    Args:
        b: The graph.
        x: The input, channels first.
        window: What slides over it.
        fill: What stands in the padding, where it depends on sizes known at run time only and so becomes a node of its own.
    """
    lead = [0] * (len(x.axes) - x.type.rank - 1)
    around = window.around or _known(b, x, window)
    if around is not None:
        return x, [*lead, *(before for before, _ in around), *lead, *(after for _, after in around)]
    name = b.op("Pad", x.name, _computed(b, x, window, lead), b.constant(fill, "fill", np.float32))
    return replace(x, name=name, linear=None), [0] * 2 * (len(x.axes) - 2)


def _known(b: Builder, x: Value, window: Window) -> tuple[tuple[int, int], ...] | None:
    """The positions that ``same`` puts around: (⌈n / s⌉ − 1) · s + span − n, the odd one behind; None where n is not known."""
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
    """Whether a stride divides a size for certain; then the size need not be known."""
    size = substitute(size, {name: condition.whole(name) for name, condition in conditions.items()})
    return size // stride * stride == size


def _computed(b: Builder, x: Value, window: Window, lead: Sequence[int]) -> str:
    """The same from the input's shape at run time, for all axes of the ONNX tensor."""
    span = b.ints([*(1 for _ in lead), *window.spans], "spans")
    stride, one = b.ints([*(1 for _ in lead), *window.strides], "strides"), b.ints([1], "one")
    size = b.op("Shape", x.name, start=2)
    steps = b.op("Mul", b.op("Div", b.op("Sub", size, one), stride), stride)
    total = b.op("Max", b.op("Sub", b.op("Add", steps, span), size), b.ints([0], "zero"))
    before = b.op("Div", total, b.ints([2], "two"))
    none = b.ints([0, 0], "none")
    return b.op("Concat", none, before, none, b.op("Sub", total, before), axis=0)
