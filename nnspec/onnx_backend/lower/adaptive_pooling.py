"""Adaptive pooling: an ordinary pooling if windows have equal sizes, else a matrix product or a gather."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nnspec.layers.adaptive_pooling import AdaptiveAveragePooling, AdaptivePooling
from nnspec.layers.base import Layer
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import arrange
from nnspec.onnx_backend.lower.padding import Window
from nnspec.onnx_backend.lower.pooling import averages, maxima
from nnspec.onnx_backend.proto import ELEMENT
from nnspec.onnx_backend.value import Value, channels_first
from nnspec.types import Dim


def _adaptive(b: Builder, call: Call[AdaptivePooling]) -> Value:
    counts, means = call.layer.output_size, isinstance(call.layer, AdaptiveAveragePooling)
    x = arrange(b, call.x, channels_first(call.x.type.rank))
    if set(counts) == {1}:
        return Value(b.op("GlobalAveragePool" if means else "GlobalMaxPool", x.name), call.output, x.axes)
    sizes = x.type.shape[:-1]
    even = [_width(size, count) for size, count in zip(sizes, counts, strict=True)]
    name = x.name
    if any(width != 1 for width in even if width):
        widths = tuple(width or 1 for width in even)
        name = (averages if means else maxima)(b, x, Window(widths, widths, tuple((0, 0) for _ in widths)))
    # From the last axis, so that the sizes after the current axis are known.
    for axis in reversed([axis for axis, width in enumerate(even) if width is None]):
        place, count = x.position(axis + 1), counts[axis]
        if count == 1:
            name = b.reduce("ReduceMean" if means else "ReduceMax", name, [place], keepdims=True)
        elif means:
            name = _multiplied(b, name, place, sizes[axis], counts[axis:])
        else:
            name = b.reduce("ReduceMax", _gathered(b, name, place, sizes[axis], count), [place + 1], keepdims=False)
    return Value(name, call.output, x.axes)


def _width(size: int | Dim, count: int) -> int | None:
    """The size of the windows, if equal."""
    return size // count if isinstance(size, int) and size % count == 0 else None


def _bounds(count: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The start and end of each window."""
    output = np.arange(count)
    return output * size // count, -(-(output + 1) * size // count)


def _computed_bounds(b: Builder, size: str, count: int, shape: list[int]) -> tuple[str, str]:
    """The start and end of each window, computed at run time in a given shape."""
    output = np.arange(count).reshape(shape)
    windows = b.ints([count], "windows")
    behind = b.op("Add", b.op("Mul", b.constant(output + 1, "next", np.int64), size), b.ints([count - 1], "up"))
    return b.op("Div", b.op("Mul", b.constant(output, "output", np.int64), size), windows), b.op("Div", behind, windows)


def _multiplied(b: Builder, x: str, place: int, size: int | Dim, counts: tuple[int, ...]) -> str:
    """The mean of each window along one axis; ``counts`` are the output sizes of this and the following axes."""
    if len(counts) == 1:
        return b.op("MatMul", x, _shares(b, x, place, size, counts[0], windows_at=1))
    matrix = _shares(b, x, place, size, counts[0], windows_at=0)
    if len(counts) == 2:
        return b.op("MatMul", matrix, x)
    flat = b.op("Reshape", x, b.ints([*[0] * (place + 1), int(np.prod(counts[1:]))], "flat"))
    return b.op("Reshape", b.op("MatMul", matrix, flat), b.ints([*[0] * place, *counts], "shape"))


def _shares(b: Builder, x: str, place: int, size: int | Dim, count: int, *, windows_at: int) -> str:
    """The matrix of the weights of positions in windows; windows are its rows (0) or columns (1)."""
    windows, positions = ([count, 1], [1, -1]) if windows_at == 0 else ([1, count], [-1, 1])
    if isinstance(size, int):
        first, behind = (bound.reshape(windows) for bound in _bounds(count, size))
        position = np.arange(size).reshape(positions)
        return b.constant(((position >= first) & (position < behind)) / (behind - first), "shares", np.float32)
    n = b.op("Shape", x, start=place, end=place + 1)
    begin, end = _computed_bounds(b, n, count, windows)
    step = b.op("Reshape", _range(b, n), b.ints(positions, "positions"))
    inside = b.op("And", b.op("GreaterOrEqual", step, begin), b.op("Less", step, end))
    return b.op(
        "Div", b.op("Cast", inside, to=ELEMENT["float32"]), b.op("Cast", b.op("Sub", end, begin), to=ELEMENT["float32"])
    )


def _gathered(b: Builder, x: str, place: int, size: int | Dim, count: int) -> str:
    """The positions of each window on a new axis; shorter windows repeat their last position."""
    if isinstance(size, int):
        first, behind = _bounds(count, size)
        places = np.minimum(first[:, None] + np.arange((behind - first).max()), behind[:, None] - 1)
        return b.op("Gather", x, b.constant(places, "places", np.int64), axis=place)
    n = b.op("Shape", x, start=place, end=place + 1)
    begin, end = _computed_bounds(b, n, count, [count, 1])
    widest = b.reduce("ReduceMax", b.op("Sub", end, begin), [0, 1], keepdims=False)
    step = b.op("Add", begin, _range(b, widest))
    return b.op("Gather", x, b.op("Min", step, b.op("Sub", end, b.ints([1], "one"))), axis=place)


def _range(b: Builder, size: str) -> str:
    """The range from 0 to a size known at run time."""
    zero, one = b.constant(0, "zero", np.int64), b.constant(1, "step", np.int64)
    return b.op("Range", zero, b.op("Reshape", size, b.ints([], "scalar")), one)


TABLE: Mapping[type[Layer], Lowering] = {AdaptivePooling: _adaptive}
