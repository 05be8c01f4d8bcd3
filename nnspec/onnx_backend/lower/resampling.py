"""Resizing of images, one axis at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.layout import arrange
from nnspec.onnx_backend.lower.interpolation import matrix, nearest, neighbours, resize_agrees
from nnspec.onnx_backend.proto import ELEMENT
from nnspec.onnx_backend.value import Value, channels_first
from nnspec.types import Dim, TensorType

__all__ = ["resampled"]

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
            x = replace(x, name=b.op("Gather", x.name, _nearest(b, x.name, axis), axis=axis.place), linear=None)
    elif interpolation != "bilinear" or antialias:
        x = arrange(b, x, channels_first(3))
        for axis in _fewest_first(x, counts):
            x = _multiplied(b, x, axis, interpolation, antialias)
    elif scales := _scales(x, counts):
        x = _held(b, arrange(b, x, channels_first(3)))
        factors = b.constant([1, 1, *scales], "scales", np.float32)
        name = b.op("Resize", x.name, "", factors, mode="linear", coordinate_transformation_mode="half_pixel")
        x = replace(x, name=name, linear=None)
    else:
        for axis in _fewest_first(x, counts):
            x = _between(b, x, axis)
    return replace(x, type=type_)


def _held(b: Builder, x: Value) -> Value:
    """Prevent ONNX Runtime from moving transposes of an image past its ``Resize``.

    Version 1.31 does so even if the operator then has to resize axes that it does not support. A transpose to channels first is
    harmless; others are blocked by a reshape, which is free.
    """
    turns = [list(operation.attributes["perm"]) for operation in b.operations if operation.type == "Transpose"]
    if turns in ([], [_CHANNELS_FIRST]):
        return x
    return replace(x, name=b.op("Reshape", x.name, b.ints([0] * len(x.axes), "same")), linear=None)


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
        return replace(x, name=b.op("MatMul", x.name, b.constant(weights.T, "columns")), linear=None)
    return replace(x, name=b.op("MatMul", b.constant(weights, "rows"), x.name), linear=None)


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
    return replace(x, name=b.op("Add", before, step), linear=None)


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
