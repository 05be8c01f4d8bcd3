"""How the random geometric layers of Keras move points: the pixel of the input at each pixel of the output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keras import ops


def _flip(layer: Any, drawn: Any, height: int, width: int) -> Any:
    flips = ops.reshape(drawn["flips"], (-1,))
    one = ops.ones(ops.shape(flips))
    zero = ops.zeros_like(one)

    def along(direction: str, size: int) -> tuple[Any, Any]:
        flipped = ops.where(flips, -one, one) if direction in layer.mode else one
        return flipped, ops.where(flipped < 0, zero + (size - 1.0), zero)

    (x, from_x), (y, from_y) = along("horizontal", width), along("vertical", height)
    return ops.stack([x, zero, from_x, zero, y, from_y, zero, zero], axis=1)


def _zoom(layer: Any, drawn: Any, height: int, width: int) -> Any:
    zooms = ops.cast(ops.concatenate([drawn["width_zoom"], drawn["height_zoom"]], axis=1), "float32")
    return layer._get_zoom_matrix(zooms, height, width)


def _perspective(layer: Any, drawn: Any, height: int, width: int) -> Any:
    del height, width
    start, end = (ops.cast(drawn[key], "float32") for key in ("start_points", "end_points"))
    matrix = ops.cast(layer.backend.image.compute_homography_matrix(start, end), "float32")
    same = ops.convert_to_tensor([1.0, 0, 0, 0, 1, 0, 0, 0])
    return ops.where(drawn["apply_perspective"][:, None], matrix, same)


_MAPS: Mapping[str, Callable[[Any, Any, int, int], Any]] = {
    "RandomFlip": _flip,
    "RandomPerspective": _perspective,
    "RandomResizedCrop": lambda layer, drawn, height, width: drawn["matrix"],
    "RandomRotation": lambda layer, drawn, height, width: drawn["rotation_matrix"],
    "RandomShear": lambda layer, drawn, height, width: layer._get_shear_matrix(drawn["shear_factor"]),
    "RandomTranslation": lambda layer, drawn, height, width: layer._get_translation_matrix(drawn["translations"]),
    "RandomZoom": _zoom,
}


def box_map(layer: Any, drawn: Any, height: int, width: int) -> Any:
    """Return the matrices, (N, 8), that map pixels of the changed images to pixels of the images.

    A row ``a0 a1 a2 b0 b1 b2 c0 c1`` maps the pixel (x, y) to ``((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k)``, where k is
    ``c0 x + c1 y + 1``; pixels are counted from 0.

    Args:
        layer: The Keras layer.
        drawn: What it drew for a batch.
        height: The height of the images.
        width: Their width.
    """
    return ops.cast(_MAPS[type(layer).__name__](layer, drawn, height, width), "float32")
