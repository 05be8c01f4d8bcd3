"""What stands around the input of a convolution or a pooling, as ONNX wants it: always written out.

``auto_pad`` would leave it to the runtime, and ONNX Runtime's is wrong with dilation and where a stride exceeds a kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nnspec.layers.padding import Padding
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.value import Value
from nnspec.types import Dim

__all__ = ["Window", "padded"]

Window = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""Kernel size, strides and dilation, one for each spatial axis."""


def padded(b: Builder, x: Value, padding: Padding, window: Window, fill: float = 0.0) -> tuple[Value, list[int]]:
    """The input, and the ``pads`` attribute that pads it.

    Args:
        b: The graph.
        x: The input, channels first.
        padding: As the layer has it.
        window: Of the layer.
        fill: What stands in the padding, where it depends on sizes known at run time only and so becomes a node of its own.
    """
    sizes = x.type.shape[:-1]
    around = [_around(padding, axis, size, *(part[axis] for part in window)) for axis, size in enumerate(sizes)]
    lead = [0] * (len(x.axes) - 2 - len(sizes))
    if known := [pair for pair in around if pair is not None]:
        if len(known) == len(around):
            return x, [*lead, *(before for before, _ in known), *lead, *(after for _, after in known)]
    name = b.op("Pad", x.name, _same(b, x, window, lead), b.constant(fill, "fill", np.float32))
    return replace(x, name=name, linear=None), [0] * 2 * (len(x.axes) - 2)


def _around(padding: Padding, axis: int, size: int | Dim, kernel: int, stride: int, dilation: int) -> tuple[int, int] | None:
    """Positions before and after; None where that depends on a size that is not known yet."""
    span = (kernel - 1) * dilation + 1
    if isinstance(padding, tuple):
        return padding[axis]
    if padding == "same":
        if stride > 1 and not isinstance(size, int):
            return None
        total = span - 1 if stride == 1 else max((-(-size // stride) - 1) * stride + span - size, 0)  # type: ignore[operator,type-var]
        return total // 2, total - total // 2
    return {"valid": (0, 0), "causal": (span - 1, 0), "full": (span - 1, span - 1)}[padding]


def _same(b: Builder, x: Value, window: Window, lead: Sequence[int]) -> str:
    """The pads of ``same``, all axes, computed from the input's shape: (⌈n / s⌉ − 1) · s + span − n, the odd one behind."""
    kernel, stride, dilation = ([*[1] * len(lead), *part] for part in window)
    span = b.ints([(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)], "span")
    step, one = b.ints(stride, "strides"), b.ints([1], "one")
    size = b.op("Shape", x.name, start=2)
    windows = b.op("Div", b.op("Sub", size, one), step)
    total = b.op("Max", b.op("Sub", b.op("Add", b.op("Mul", windows, step), span), size), b.ints([0], "zero"))
    before = b.op("Div", total, b.ints([2], "two"))
    none = b.ints([0, 0], "none")
    return b.op("Concat", none, before, none, b.op("Sub", total, before), axis=0)
