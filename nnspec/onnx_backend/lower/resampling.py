"""Resizing of images, one axis at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.layout import arrange
from nnspec.onnx_backend.proto import ELEMENT
from nnspec.onnx_backend.value import Value, channels_first
from nnspec.types import Dim, TensorType

Floats = NDArray[np.float32]

_HALF = np.float32(0.5)
_TABLE = 1024
_PI = np.float32(np.pi)


def _scale(size: int, count: int) -> np.float32:
    return np.float32(size) / np.float32(count)


def _centers(size: int, count: int) -> Floats:
    """The center of each output position, in input positions from the edge."""
    return (np.arange(count, dtype=np.float32) + _HALF) * _scale(size, count)


def places(size: int, count: int) -> Floats:
    """The source coordinate of each of ``count`` output positions among ``size`` input positions.

    Example:
        >>> places(4, 2), places(2, 4)
        (array([0.5, 2.5], dtype=float32), array([-0.25,  0.25,  0.75,  1.25], dtype=float32))
    """
    return _centers(size, count) - _HALF


def nearest(size: int, count: int) -> NDArray[np.int64]:
    """The nearest input position of each output position."""
    return np.minimum(np.floor(_centers(size, count)).astype(np.int64), size - 1)


def neighbours(size: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """For ``bilinear``: the two neighboring input positions of each output position, and the fraction between them."""
    at = places(size, count)
    before = np.floor(at)
    first, second = np.maximum(before, 0), np.minimum(np.ceil(at), size - 1)
    return first.astype(np.int64), second.astype(np.int64), at - before


def resize_agrees(size: int, count: int) -> bool:
    """Whether ONNX Runtime's ``Resize`` by ``count / size`` has the same size and coordinates, to 1e-6."""
    scale = np.float32(count / size)
    if float(scale) != count / size:
        return False
    theirs = (np.arange(count, dtype=np.float32) + _HALF) / scale - _HALF
    return bool(np.abs(theirs - places(size, count)).max() <= 1e-6)


def matrix(size: int, count: int, interpolation: str, *, antialias: bool = False) -> Floats:
    """The weight of each input position (column) in each output position (row).

    Args:
        size: The number of input positions.
        count: The number of output positions.
        interpolation: ``bilinear``, ``bicubic``, ``lanczos3`` or ``lanczos5``.
        antialias: Whether to stretch the kernel when downsampling.

    Example:
        >>> matrix(4, 2, "bilinear", antialias=True).round(2)
        array([[0.43, 0.43, 0.14, 0.  ],
               [0.  , 0.14, 0.43, 0.43]], dtype=float32)
    """
    if interpolation == "bicubic" and not antialias:
        weights = _tabled_cubic(size, count)
    else:
        radius, kernel = _KERNELS[interpolation]
        step = np.float32(1) / _scale(count, size)  # Rounded twice, as in TensorFlow's ``ScaleAndTranslate``.
        stretch = max(step, np.float32(1)) if antialias else np.float32(1)
        centres = (np.arange(count, dtype=np.float32) + _HALF) * step
        distance = np.arange(size, dtype=np.float32) + _HALF - centres[:, None]
        reach = np.float32(radius) * stretch
        weights = np.where(np.abs(distance) <= reach, kernel(np.abs(distance / stretch)), np.float32(0))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True, dtype=np.float32), np.float32)


def _tabled_cubic(size: int, count: int) -> Floats:
    """The cubic kernel of Keys 1981, with fractions rounded to 1/1024 as in TensorFlow's ``ResizeBicubic``."""
    at = places(size, count)
    before = np.floor(at)
    step = np.rint((at - before) * _TABLE).astype(np.int64)
    weights = np.zeros((count, size), np.float32)
    for offset, distance in ((-1, _TABLE + step), (0, step), (1, _TABLE - step), (2, 2 * _TABLE - step)):
        position = before.astype(np.int64) + offset
        there = (position >= 0) & (position < size)
        weights[np.arange(count)[there], position[there]] += _cubic((distance[there] / _TABLE).astype(np.float32))
    return weights


def _triangle(x: Floats) -> Floats:
    return np.maximum(1 - x, 0)


def _cubic(x: Floats) -> Floats:
    near, far = ((1.5 * x - 2.5) * x) * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, np.float32(0))).astype(np.float32)


def _lanczos(radius: int) -> Callable[[Floats], Floats]:
    def kernel(x: Floats) -> Floats:
        apart = np.maximum(x, np.float32(1e-3)) * _PI
        value = radius * np.sin(apart) * np.sin(apart / radius) / (apart * apart)
        return np.where(x <= 1e-3, np.float32(1), np.where(x > radius, np.float32(0), value)).astype(np.float32)

    return kernel


_KERNELS: Mapping[str, tuple[int, Callable[[Floats], Floats]]] = {
    "bilinear": (1, _triangle),
    "bicubic": (2, _cubic),
    "lanczos3": (3, _lanczos(3)),
    "lanczos5": (5, _lanczos(5)),
}


_FLOAT, _INT = ELEMENT["float32"], ELEMENT["int64"]


def resampled(b: Builder, x: Value, counts: Sequence[int], interpolation: str, antialias: bool = False) -> Value:
    """Resize an image.

    Args:
        b: The graph.
        x: The image, in any axis order. Symbolic sizes require ``nearest`` or ``bilinear``.
        counts: The height and width of the result.
        interpolation: The interpolation.
        antialias: Whether to apply antialiasing when downsampling.
    """
    type_ = TensorType((*counts, x.type.shape[-1]), x.type.dtype)
    if interpolation == "nearest":
        for axis in _fewest_first(x, counts):
            x = replace(x, name=b.op("Gather", x.name, _nearest(b, x.name, axis), axis=axis.place))
    elif interpolation != "bilinear" or antialias:
        x = arrange(b, x, channels_first(3))
        for axis in _fewest_first(x, counts):
            x = _multiplied(b, x, axis, interpolation, antialias)
    elif scales := _scales(x, counts):
        x = linear_resize(b, x, scales)
    else:
        for axis in _fewest_first(x, counts):
            x = _between(b, x, axis)
    return replace(x, type=type_)


def linear_resize(b: Builder, x: Value, scales: Sequence[float]) -> Value:
    """Interpolate an image linearly with ONNX's ``Resize``; the type of the result is that of ``x``."""
    x = _held(b, arrange(b, x, channels_first(3)))
    factors = b.constant([1, 1, *scales], "scales", np.float32)
    return replace(x, name=b.op("Resize", x.name, "", factors, mode="linear", coordinate_transformation_mode="half_pixel"))


def _held(b: Builder, x: Value) -> Value:
    """Prevent ONNX Runtime from moving transposes of an image past its ``Resize``.

    Version 1.31 does so even if the operator then has to resize axes that it does not support. A transpose to channels first is
    harmless; others are blocked by a reshape, which is free.
    """
    turns = [list(operation.attributes["perm"]) for operation in b.operations if operation.type == "Transpose"]
    if turns in ([], [_CHANNELS_FIRST]):
        return x
    return replace(x, name=b.op("Reshape", x.name, b.ints([0] * len(x.axes), "same")))


_CHANNELS_FIRST = [0, 3, 1, 2]


@dataclass(frozen=True)
class _Axis:
    """An axis to resize, and its position in the ONNX tensor."""

    place: int
    size: int | Dim
    count: int

    @property
    def factor(self) -> float:
        return self.count / self.size if isinstance(self.size, int) else 1.0


def _fewest_first(x: Value, counts: Sequence[int]) -> list[_Axis]:
    """The axes to resize; shrinking ones first, which is cheaper."""
    axes = [_Axis(x.position(axis), x.type.shape[axis - 1], count) for axis, count in enumerate(counts, 1)]
    return sorted((axis for axis in axes if axis.size != axis.count), key=lambda axis: axis.factor)


def _scales(x: Value, counts: Sequence[int]) -> list[float]:
    """The scales for ONNX's ``Resize``; empty if its result would differ."""
    pairs = [(size, count) for size, count in zip(x.type.shape[:-1], counts, strict=True) if isinstance(size, int)]
    agrees = len(pairs) == len(counts) and all(resize_agrees(size, count) for size, count in pairs)
    return [count / size for size, count in pairs] if agrees else []


def _multiplied(b: Builder, x: Value, axis: _Axis, interpolation: str, antialias: bool) -> Value:
    assert isinstance(axis.size, int)
    weights = matrix(axis.size, axis.count, interpolation, antialias=antialias)
    if axis.place == len(x.axes) - 1:
        return replace(x, name=b.op("MatMul", x.name, b.constant(weights.T, "columns")))
    return replace(x, name=b.op("MatMul", b.constant(weights, "rows"), x.name))


def _nearest(b: Builder, x: str, axis: _Axis) -> str:
    """The nearest input positions."""
    if isinstance(axis.size, int):
        return b.ints(nearest(axis.size, axis.count).tolist(), "nearest")
    size, centres = _centres(b, x, axis)
    place = b.op("Cast", b.op("Floor", centres), to=_INT)
    return b.op("Min", place, b.op("Sub", size, b.ints([1], "one")))


def _between(b: Builder, x: Value, axis: _Axis) -> Value:
    """Interpolate linearly between neighboring positions."""
    first, second, distance = _neighbours(b, x.name, axis, [-1] + [1] * (len(x.axes) - axis.place - 1))
    before, behind = (b.op("Gather", x.name, places, axis=axis.place) for places in (first, second))
    step = b.op("Mul", b.op("Sub", behind, before), distance)
    return replace(x, name=b.op("Add", before, step))


def _neighbours(b: Builder, x: str, axis: _Axis, shape: list[int]) -> tuple[str, str, str]:
    """The neighboring input positions and the fraction between them, in a given shape."""
    if isinstance(axis.size, int):
        first, second, distance = neighbours(axis.size, axis.count)
        return b.ints(first, "before"), b.ints(second, "behind"), b.constant(distance.reshape(shape), "distance")
    size, centres = _centres(b, x, axis)
    place = b.op("Sub", centres, b.constant([0.5], "half", np.float32))
    before = b.op("Floor", place)
    low = b.op("Max", b.op("Cast", before, to=_INT), b.ints([0], "zero"))
    high = b.op("Min", b.op("Cast", b.op("Ceil", place), to=_INT), b.op("Sub", size, b.ints([1], "one")))
    return low, high, b.op("Reshape", b.op("Sub", place, before), b.ints(shape, "shape"))


def _centres(b: Builder, x: str, axis: _Axis) -> tuple[str, str]:
    """The axis's size and the center of each output position, computed at run time."""
    size = b.op("Shape", x, start=axis.place, end=axis.place + 1)
    scale = b.op("Div", b.op("Cast", size, to=_FLOAT), b.constant([axis.count], "count", np.float32))
    return size, b.op("Mul", b.constant(np.arange(axis.count) + 0.5, "centres", np.float32), scale)
