"""Sheets of pictures: what a generator makes, side by side, as a PNG."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["SHEETS", "is_picture", "sheet"]

SHEETS = "samples"
"""The folder of a run's sheets, in its folder: ``epoch-0001.png`` after the first epoch."""

_GAP = 2
_LEAST = 56
"""Smaller pictures are shown larger, their pixels sharp."""


def is_picture(shape: tuple[Any, ...]) -> bool:
    """Whether examples of this shape are pictures: height, width and 1 or 3 channels.

    Example:
        >>> is_picture((28, 28, 1)), is_picture((100,))
        (True, False)
    """
    return len(shape) == 3 and shape[-1] in (1, 3)


def sheet(pictures: NDArray[Any], low: float, high: float, *, columns: int | None = None) -> bytes:
    """Pictures side by side, row by row.

    Args:
        pictures: The pictures, (N, H, W, 1 or 3).
        low: The value that is black.
        high: The value that is white.
        columns: How many stand in a row; by default so many that the sheet is about square.

    Returns:
        A PNG.

    Raises:
        ValueError: Where there are none, or they are no pictures.
    """
    if not len(pictures) or not is_picture(pictures.shape[1:]):
        raise ValueError(f"{pictures.shape} are no pictures")
    count, height, width, channels = pictures.shape
    across = min(count, columns or math.ceil(math.sqrt(count)))
    down = -(-count // across)
    whole = np.full((down * (height + _GAP) - _GAP, across * (width + _GAP) - _GAP, channels), 255, np.uint8)
    shares = (pictures.astype(np.float64) - low) / ((high - low) or 1.0)
    levels = (np.clip(np.nan_to_num(shares), 0, 1) * 255).round().astype(np.uint8)
    for i, picture in enumerate(levels):
        y, x = (i // across) * (height + _GAP), (i % across) * (width + _GAP)
        whole[y : y + height, x : x + width] = picture
    scale = max(1, _LEAST // max(height, width))
    return _png(whole.repeat(scale, 0).repeat(scale, 1))


def _png(levels: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
