"""Interpolation weights of resized axes, with TensorFlow's rounding.

TensorFlow computes source coordinates, ``(p + 1/2) · n / o − 1/2``, and fractions in float32. ONNX's ``Resize`` divides where
TensorFlow multiplies: from 500 to 224 positions they differ by 5e-5, so coordinates are computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "matrix", "nearest", "neighbours", "places", "resize_agrees"]

Floats = NDArray[np.float32]

_HALF = np.float32(0.5)
_TABLE = 1024
_PI = np.float32(np.pi)


def _scale(size: int, count: int) -> np.float32:
    return np.float32(size) / np.float32(count)


def _centres(size: int, count: int) -> Floats:
    """The center of each output position, in input positions from the edge."""
    return (np.arange(count, dtype=np.float32) + _HALF) * _scale(size, count)


def places(size: int, count: int) -> Floats:
    """The source coordinate of each of ``count`` output positions among ``size`` input positions.

    Example:
        >>> places(4, 2), places(2, 4)
        (array([0.5, 2.5], dtype=float32), array([-0.25,  0.25,  0.75,  1.25], dtype=float32))
    """
    return _centres(size, count) - _HALF


def nearest(size: int, count: int) -> NDArray[np.int64]:
    """The nearest input position of each output position."""
    return np.minimum(np.floor(_centres(size, count)).astype(np.int64), size - 1)


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
