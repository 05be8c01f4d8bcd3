"""Matching of detections to annotated boxes, as in COCO's evaluation (Lin et al. 2014)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_DETECTIONS = 100
"""The most detections of an image that count for each class, the best scores first."""

_ELEMENTS = 2**21
"""The approximate number of elements of the largest array while several images are matched."""


@dataclass(frozen=True)
class Boxes:
    """The boxes of some images, one row each, without the rows that are filled with −1.

    Attributes:
        image: The index of the image of each box, (N,).
        corners: The boxes `x1 y1 x2 y2`, (N, 4).
        classes: The class of each box, (N,).
        scores: The scores of detections, (N,); zeros for annotations.
        crowd: Whether an annotation is a group of objects, (N,); False for detections.
        rows: The row of each box among those of its image, (N,).
    """

    image: NDArray[np.int64]
    corners: NDArray[np.float64]
    classes: NDArray[np.int64]
    scores: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    rows: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.image)

    @property
    def areas(self) -> NDArray[np.float64]:
        """The area of each box, (N,)."""
        size = self.corners[:, 2:] - self.corners[:, :2]
        found: NDArray[np.float64] = size[:, 0] * size[:, 1]
        return found

    def only(self, which: NDArray[Any]) -> Boxes:
        """Some of the boxes, by a mask or indices."""
        own = (self.image, self.corners, self.classes, self.scores, self.crowd, self.rows)
        return Boxes(*(values[which] for values in own))


def detected_boxes(boxes: NDArray[Any], scores: NDArray[Any], classes: NDArray[Any]) -> Boxes:
    """The detections of a batch: by image and class, the best score first, at most 100 for each.

    Args:
        boxes: The boxes, (N, K, 4).
        scores: Their scores, (N, K).
        classes: Their classes, (N, K); rows below 0 are not detections.
    """
    image, rows = np.nonzero(classes >= 0)
    found = Boxes(
        image,
        boxes[image, rows].astype(np.float64),
        classes[image, rows].astype(np.int64),
        scores[image, rows].astype(np.float64),
        np.zeros(len(image), np.bool_),
        rows,
    )
    found = found.only(np.lexsort((-found.scores, found.classes, found.image)))
    return found.only(ranks(found) < MOST_DETECTIONS)


def annotated_boxes(boxes: NDArray[Any], classes: NDArray[Any], crowd: NDArray[Any] | None = None) -> Boxes:
    """The annotated boxes of a batch, by image and class.

    Args:
        boxes: The boxes, (N, M, 4); boxes of no area are not annotations.
        classes: Their classes, (N, M); rows below 0 are not annotations.
        crowd: 1 for a group of objects, (N, M); None if there are none.
    """
    given = (classes >= 0) & (boxes[..., 2] > boxes[..., 0]) & (boxes[..., 3] > boxes[..., 1])
    image, rows = np.nonzero(given)
    found = Boxes(
        image,
        boxes[image, rows].astype(np.float64),
        classes[image, rows].astype(np.int64),
        np.zeros(len(image)),
        np.zeros(len(image), np.bool_) if crowd is None else crowd[image, rows] > 0,
        rows,
    )
    return found.only(np.lexsort((found.classes, found.image)))


def ranks(boxes: Boxes) -> NDArray[np.int64]:
    """The position of each box among those of its image and class, which are consecutive, (N,)."""
    first = np.ones(len(boxes), np.bool_)
    first[1:] = (boxes.image[1:] != boxes.image[:-1]) | (boxes.classes[1:] != boxes.classes[:-1])
    starts = np.nonzero(first)[0]
    found: NDArray[np.int64] = np.arange(len(boxes)) - np.repeat(starts, np.diff([*starts, len(boxes)]))
    return found


def overlaps(found: NDArray[np.float64], true: NDArray[np.float64], crowd: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The intersection over union of boxes; over the area of the detection if the annotation is a crowd.

    Args:
        found: The detections, (…, D, 4).
        true: The annotations, (…, G, 4).
        crowd: Whether each annotation is a crowd, (…, G).

    Returns:
        The overlaps, (…, D, G).

    Example:
        >>> overlaps(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2]]), np.array([False])).round(3)
        array([[0.333]])
    """
    a, b = found[..., :, None, :], true[..., None, :, :]
    width = np.fmin(a[..., 2], b[..., 2]) - np.fmax(a[..., 0], b[..., 0])
    height = np.fmin(a[..., 3], b[..., 3]) - np.fmax(a[..., 1], b[..., 1])
    both = np.where((width > 0) & (height > 0), width * height, 0.0)
    areas, others = ((box[..., 2] - box[..., 0]) * (box[..., 3] - box[..., 1]) for box in (a, b))
    union = np.where(crowd[..., None, :], areas + np.zeros_like(others), areas + others - both)
    return np.divide(both, union, out=np.zeros_like(both), where=both > 0)


@dataclass(frozen=True)
class Matches:
    """The matches of detections.

    Attributes:
        rows: The index of the annotation that each detection matches, −1 if none, by range of areas and threshold, (D, A, T).
        ignored: Whether a detection counts neither as right nor as wrong, (D, A, T).
        ignored_annotations: Whether an annotation need not be found, by range of areas, (G, A).
    """

    rows: NDArray[np.int32]
    ignored: NDArray[np.bool_]
    ignored_annotations: NDArray[np.bool_]


def matched(found: Boxes, true: Boxes, thresholds: NDArray[np.float64], ranges: NDArray[np.float64]) -> Matches:
    """Matches the detections of each image and class to its annotations.

    Each detection, the best score first, takes the annotation with the largest overlap that is not taken. An annotation that
    is a crowd, or whose area is outside the range, is ignored: it is matched only if no other one is, and a crowd can be
    matched several times. Of equal overlaps the last one counts.

    Args:
        found: The result of [`detected_boxes`][nnspec.training.detection.matching.detected_boxes].
        true: The result of [`annotated_boxes`][nnspec.training.detection.matching.annotated_boxes].
        thresholds: The least overlaps, rising, (T,).
        ranges: The ranges of areas, smallest and largest, (A, 2).
    """
    low, high = ranges[:, 0], ranges[:, 1]
    outside = (true.areas[:, None] < low) | (true.areas[:, None] > high)
    unneeded = outside | true.crowd[:, None]
    rows = np.full((len(found), len(ranges), len(thresholds)), -1, np.int32)
    least = np.minimum(thresholds, 1 - 1e-10)
    for dets, anns in _groups(found, true):
        local = _matched_groups(found, dets, true, anns, unneeded, least)
        given = dets >= 0
        chosen = np.take_along_axis(anns[:, None, None, :], np.maximum(local, 0), 3)
        rows[dets[given]] = np.where(local >= 0, chosen, -1)[given]
    matches = rows >= 0
    elsewhere = (found.areas[:, None] < low) | (found.areas[:, None] > high)
    ignored = ~matches & elsewhere[:, :, None]
    if len(true):
        at = np.arange(len(ranges))[None, :, None]
        ignored |= matches & unneeded[np.maximum(rows, 0), at]
    return Matches(rows, ignored, unneeded)


def _groups(found: Boxes, true: Boxes) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The indices of the detections (B, D) and annotations (B, G) of B pairs of an image and a class; −1 for none.

    Only pairs that have both. Pairs of similar numbers are together, so that little is filled.
    """
    if not len(found) or not len(true):
        return
    classes = int(max(found.classes.max(), true.classes.max())) + 1
    keys, starts, counts = np.unique(found.image * classes + found.classes, return_index=True, return_counts=True)
    others, their_starts, their_counts = np.unique(true.image * classes + true.classes, return_index=True, return_counts=True)
    _, mine, theirs = np.intersect1d(keys, others, assume_unique=True, return_indices=True)
    starts, counts, their_starts, their_counts = starts[mine], counts[mine], their_starts[theirs], their_counts[theirs]
    order = np.lexsort((counts, their_counts))
    begin = 0
    while begin < len(order):
        end, most = begin + 1, int(counts[order[begin]])
        while end < len(order):
            wider = max(most, int(counts[order[end]]))
            # Each annotation has some values for each range of areas and threshold, and so has each detection.
            if (end + 1 - begin) * (int(their_counts[order[end]]) + wider) > _ELEMENTS // 40:
                break
            end, most = end + 1, wider
        part = order[begin:end]
        yield _indices(starts[part], counts[part]), _indices(their_starts[part], their_counts[part])
        begin = end


def _indices(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    places = np.arange(counts.max())[None]
    found: NDArray[np.int64] = np.where(places < counts[:, None], starts[:, None] + places, -1)
    return found


def _matched_groups(
    found: Boxes,
    dets: NDArray[np.int64],
    true: Boxes,
    anns: NDArray[np.int64],
    unneeded: NDArray[np.bool_],
    least: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Matches within groups, of all groups the best detection first, so that memory does not depend on their number.

    Args:
        found: The detections.
        dets: The indices of the detections of each group, (B, D); −1 for none.
        true: The annotations.
        anns: The indices of the annotations of each group, (B, G); −1 for none.
        unneeded: Whether each annotation is ignored, by range of areas, (N, A).
        least: The least overlaps, rising, (T,).

    Returns:
        The position of the match among the group's annotations, −1 if there is none, (B, D, A, T).
    """
    crowd, theirs = true.crowd[anns], true.corners[anns]
    ignored = np.moveaxis(unneeded[anns], 2, 1)[:, :, None, :]
    free = np.broadcast_to((anns >= 0)[:, None, None, :], (len(anns), unneeded.shape[1], len(least), anns.shape[1])).copy()
    chosen = np.full((*dets.shape, unneeded.shape[1], len(least)), -1, np.int64)
    for rank in range(dets.shape[1]):
        overlap = overlaps(found.corners[dets[:, rank], None], theirs, crowd)[:, 0]
        overlap[(dets[:, rank, None] < 0) | (anns < 0)] = -1.0
        rows = np.nonzero((overlap >= least[0]).any(-1))[0]
        if not len(rows):
            continue
        value = overlap[rows][:, None, None, :]
        possible = (value >= least[:, None]) & (free[rows] | crowd[rows][:, None, None, :])
        needed = possible & ~ignored[rows]
        possible = np.where(needed.any(-1, keepdims=True), needed, possible)
        # The last of the largest.
        best = anns.shape[1] - 1 - np.where(possible, value, -1.0)[..., ::-1].argmax(-1)
        some = possible.any(-1)
        chosen[rows, rank] = np.where(some, best, -1)
        group, area, threshold = np.nonzero(some)
        free[rows[group], area, threshold, best[group, area, threshold]] = False
    return chosen
