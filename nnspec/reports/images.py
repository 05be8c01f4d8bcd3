"""Arrays as images inside the page."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import Any

import matplotlib
import numpy as np
from matplotlib.image import imsave
from numpy.typing import NDArray

from nnspec.html_elements import Html, element

_LARGEST = 192
"""The most pixels along an edge; larger images are subsampled."""
_SHOWN = 112


def is_image(shape: tuple[int, ...]) -> bool:
    """Whether an input of this shape is shown as an image: (H, W) or (H, W, 1, 3 or 4)."""
    if len(shape) == 3:
        return shape[-1] in (1, 3, 4) and min(shape[:2]) > 1
    return len(shape) == 2 and shape[1] > 8 and shape[0] > 8


def scaled(examples: NDArray[Any]) -> NDArray[np.float64]:
    """Scales images to 0–1, from 0–1, 0–255 or their common range."""
    values = examples.astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 1:
        return values
    if low >= 0 and high <= 255:
        return values / 255
    return (values - low) / (high - low if high > low else 1.0)


def colored(values: NDArray[Any], *, signed: bool = False, largest: float | None = None) -> NDArray[np.float64]:
    """Applies a color map to a plane.

    Args:
        values: The plane, scaled to its range.
        signed: Whether the colors are blue for negative values, white for 0, and red for positive values.
        largest: The magnitude of the darkest red and blue; None for the largest in the plane.

    Returns:
        RGBA.
    """
    low, high = float(values.min()), float(values.max())
    if signed:
        high = max(abs(low), abs(high)) if largest is None else largest
        low = -high
    share = (values - low) / (high - low if high > low else 1.0)
    found: NDArray[np.float64] = matplotlib.colormaps["RdBu_r" if signed else "viridis"](share)
    return found


def overlay(image: NDArray[Any], heat: NDArray[Any]) -> NDArray[np.float64]:
    """Overlays an image with a heat map.

    Args:
        image: The image, (H, W, 1, 3 or 4), 0 to 1.
        heat: The map, (h, w), of any size and range; negative values are shown as 0.
    """
    height, width = image.shape[:2]
    positive = np.maximum(heat, 0)
    share = _resized(positive / (positive.max() or 1.0), height, width)
    grey = image[..., :3].mean(-1, keepdims=True)
    heatmap = matplotlib.colormaps["inferno"](share)[..., :3]
    found: NDArray[np.float64] = 0.35 * grey + 0.65 * heatmap
    return found


def _resized(values: NDArray[Any], height: int, width: int) -> NDArray[np.float64]:
    """Bilinear interpolation with aligned corners."""
    rows, columns = (np.linspace(0, old - 1, new) for old, new in zip(values.shape, (height, width), strict=True))
    across = np.stack([np.interp(columns, np.arange(values.shape[1]), row) for row in values])
    return np.stack([np.interp(rows, np.arange(values.shape[0]), column) for column in across.T], 1)


def mosaic(planes: list[NDArray[Any]], columns: int) -> NDArray[np.float64]:
    """A grid of RGBA planes, separated by transparent pixels."""
    height, width = planes[0].shape[:2]
    rows = -(-len(planes) // columns)
    whole = np.zeros((rows * (height + 1) - 1, columns * (width + 1) - 1, 4))
    for number, plane in enumerate(planes):
        y, x = (number // columns) * (height + 1), (number % columns) * (width + 1)
        whole[y : y + height, x : x + width] = plane
    return whole


def image_tag(image: NDArray[Any], label: str, *, shown: int = _SHOWN, largest: int = _LARGEST) -> Html:
    """An image element. Small images are enlarged with sharp pixels.

    Args:
        image: The image, (H, W) or (H, W, 1, 3 or 4), 0 to 1.
        label: The alternative text.
        shown: The width in the page.
        largest: The most pixels along an edge.
    """
    step = -(-max(image.shape[:2]) // largest)
    kept = np.clip(image[::step, ::step], 0, 1)
    if kept.ndim == 2 or kept.shape[-1] == 1:
        plane = kept if kept.ndim == 2 else kept[..., 0]
        kept = np.repeat(plane[..., None], 3, -1)
    buffer = io.BytesIO()
    imsave(buffer, np.ascontiguousarray((kept * 255).round().astype(np.uint8)), format="png")
    source = f"data:image/png;base64,{b64encode(buffer.getvalue()).decode()}"
    return element("img", src=source, alt=label, width=shown, class_="small" if max(kept.shape[:2]) < shown * 2 else None)
