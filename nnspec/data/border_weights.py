"""Border weights of masks, from the distances to the two nearest objects."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.lazy import LazyArray
from nnspec.data.plan import Need
from nnspec.data.section import Border

_NEGLIGIBLE = 1e-7
"""Smaller weights are set to 0: they vanish in float32 when added to the base weight of 1."""


def border_weights(target: NDArray[Any] | LazyArray, need: Need, border: Border) -> NDArray[np.float32] | LazyArray:
    """Return the additional weight of each position of each mask; lazily if the masks are lazy.

    Args:
        target: The masks in the form the loss expects, (N, …).
        need: What the loss requires.
        border: The parameters of the weight function.
    """

    def compute(masks: NDArray[Any]) -> NDArray[np.float32]:
        labels = _labels(masks, need)
        found = np.empty(labels.shape, np.float32)
        for place, own in zip(found, labels, strict=True):
            place[...] = gaps(objects_of(own), border)
        return found

    if isinstance(target, LazyArray):
        return LazyArray(len(target), lambda rows: compute(target[rows]))
    return compute(target)


def _labels(masks: NDArray[Any], need: Need) -> NDArray[Any]:
    """Return integer labels; 0 is background."""
    if need.kind == "class":
        return masks if need.ignore is None else np.where(masks == need.ignore, 0, masks)
    if need.kind == "distribution":
        labels: NDArray[Any] = masks.argmax(need.axis)
        return labels
    found: NDArray[Any] = (masks[..., 0] > (0.0 if need.kind == "sign" else 0.5)).astype(np.int32)
    return found


def objects_of(labels: NDArray[Any]) -> NDArray[np.int32]:
    """Number the objects of a mask from 1: connected components of equal nonzero labels, without diagonal connections.

    Example:
        >>> objects_of(np.array([[1, 1, 0, 1], [2, 2, 0, 0]])).tolist()
        [[1, 1, 0, 2], [3, 3, 0, 0]]
    """
    from scipy import ndimage

    found, count = np.zeros(labels.shape, np.int32), 0
    for label in np.unique(labels[labels != 0]):
        pieces, own = ndimage.label(labels == label)
        found[pieces > 0] = pieces[pieces > 0] + count
        count += own
    return found


def gaps(objects: NDArray[np.int32], border: Border) -> NDArray[np.float64]:
    """Return ``w0 · exp(−(d1 + d2)² / (2 · sigma²))`` for the background of one mask; 0 in objects, and with fewer than two.

    Distances are measured between pixel centers.

    Args:
        objects: The object numbers, 0 for the background, with any number of axes.
        border: The parameters of the weight function.

    Example:
        >>> gaps(np.array([[1, 0, 2]]), Border(w0=10.0, sigma=5.0)).round(4).tolist()
        [[0.0, 9.2312, 0.0]]
    """
    from scipy import ndimage

    nearest, second = np.full(objects.shape, np.inf), np.full(objects.shape, np.inf)
    reach = _reach(border)
    for number, box in enumerate(ndimage.find_objects(objects), 1):
        if box is None:
            continue
        near = tuple(slice(max(0, extent.start - reach), extent.stop + reach) for extent in box)
        distance = ndimage.distance_transform_edt(objects[near] != number)
        second[near] = np.minimum(second[near], np.maximum(nearest[near], distance))
        nearest[near] = np.minimum(nearest[near], distance)
    added: NDArray[np.float64] = border.w0 * np.exp(-((nearest + second) ** 2) / (2 * border.sigma**2))
    added[(objects > 0) | (added < _NEGLIGIBLE)] = 0
    return added


def _reach(border: Border) -> int:
    """Return the distance beyond which an object has no effect, because the weight is negligible for d2 alone."""
    return math.ceil(border.sigma * math.sqrt(2 * math.log(max(border.w0, _NEGLIGIBLE) / _NEGLIGIBLE))) + 1
