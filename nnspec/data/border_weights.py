"""How much more the gaps between a mask's objects count: distances to the nearest two objects."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.lazy import LazyArray
from nnspec.data.plan import Need
from nnspec.data.sample_weights import Border

__all__ = ["border_weights", "gaps", "objects_of"]

_NOTHING = 1e-7
"""What is less is 0: beside the 1 that a position counts at least, float32 keeps no less."""


def border_weights(target: NDArray[Any] | LazyArray, need: Need, border: Border) -> NDArray[np.float32] | LazyArray:
    """What is added to how much each position of each mask counts, masks first; made as it is used where the masks are.

    Args:
        target: The masks as the loss takes them.
        need: What the loss wants of them.
        border: The function of the distances.
    """

    def made(masks: NDArray[Any]) -> NDArray[np.float32]:
        labels = _labels(masks, need)
        found = np.empty(labels.shape, np.float32)
        for place, own in zip(found, labels, strict=True):
            place[...] = gaps(objects_of(own), border)
        return found

    if isinstance(target, LazyArray):
        return LazyArray(len(target), lambda rows: made(target[rows]))
    return made(target)


def _labels(masks: NDArray[Any], need: Need) -> NDArray[Any]:
    """Whole numbers, 0 where there is no object."""
    if need.kind == "class":
        return masks if need.ignore is None else np.where(masks == need.ignore, 0, masks)
    if need.kind == "distribution":
        labels: NDArray[Any] = masks.argmax(need.axis)
        return labels
    found: NDArray[Any] = (masks[..., 0] > (0.0 if need.kind == "sign" else 0.5)).astype(np.int32)
    return found


def objects_of(labels: NDArray[Any]) -> NDArray[np.int32]:
    """The objects of a mask, numbered from 1: pieces of one label other than 0 that hang together, not only by corners.

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
    """``w0 · exp(−(d1 + d2)² / (2 · sigma²))`` at the background of one mask, 0 in objects and where there are not two.

    Distances are those between the middles of pixels.

    Args:
        objects: The objects' numbers, 0 for the background, of any number of axes.
        border: The function.

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
        near = tuple(slice(max(0, side.start - reach), side.stop + reach) for side in box)
        distance = ndimage.distance_transform_edt(objects[near] != number)
        second[near] = np.minimum(second[near], np.maximum(nearest[near], distance))
        nearest[near] = np.minimum(nearest[near], distance)
    added: NDArray[np.float64] = border.w0 * np.exp(-((nearest + second) ** 2) / (2 * border.sigma**2))
    added[(objects > 0) | (added < _NOTHING)] = 0
    return added


def _reach(border: Border) -> int:
    """From how far on an object adds nothing: d2 alone is as much then."""
    return math.ceil(border.sigma * math.sqrt(2 * math.log(max(border.w0, _NOTHING) / _NOTHING))) + 1
