"""Grids of generated images, as PNG."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHEETS = "samples"
"""The subfolder of a run for image grids: ``epoch-0001.png`` after the first epoch."""

_GAP = 2
_LEAST = 56
"""Smaller images are enlarged, without interpolation."""


def is_image(shape: tuple[Any, ...]) -> bool:
    """Whether examples of this shape are images: height, width and 1 or 3 channels.

    Example:
        >>> is_image((28, 28, 1)), is_image((100,))
        (True, False)
    """
    return len(shape) == 3 and shape[-1] in (1, 3)


def sheet(images: NDArray[Any], low: float, high: float, *, columns: int | None = None) -> bytes:
    """Arrange images in a grid, row by row.

    Args:
        images: The images, (N, H, W, 1 or 3).
        low: The value that is black.
        high: The value that is white.
        columns: The number of columns; by default the grid is about square.

    Returns:
        A PNG.

    Raises:
        ValueError: If there are none, or they are not images.
    """
    if not len(images) or not is_image(images.shape[1:]):
        raise ValueError(f"{images.shape} is not a shape of images")
    count, height, width, channels = images.shape
    across = min(count, columns or math.ceil(math.sqrt(count)))
    down = -(-count // across)
    whole = np.full((down * (height + _GAP) - _GAP, across * (width + _GAP) - _GAP, channels), 255, np.uint8)
    for i, image in enumerate(_levels(images, low, high)):
        y, x = (i // across) * (height + _GAP), (i % across) * (width + _GAP)
        whole[y : y + height, x : x + width] = image
    scale = max(1, _LEAST // max(height, width))
    return _png(whole.repeat(scale, 0).repeat(scale, 1))


def image_png(image: NDArray[Any], low: float, high: float) -> bytes:
    """Encode one image, with a pixel for each of its values.

    Args:
        image: The image, (H, W) or (H, W, 1, 3 or 4).
        low: The value that is black.
        high: The value that is white.

    Returns:
        A PNG.
    """
    levels = _levels(image, low, high)
    return _png(levels if levels.ndim == 3 else levels[..., None])


def _levels(images: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    shares = (images.astype(np.float64) - low) / ((high - low) or 1.0)
    levels: NDArray[np.uint8] = (np.clip(np.nan_to_num(shares), 0, 1) * 255).round().astype(np.uint8)
    return levels


def _png(levels: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
