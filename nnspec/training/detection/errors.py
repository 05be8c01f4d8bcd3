"""The errors of a detector: objects that it missed, and detections that are wrong, by kind (Bolya et al. 2020)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nnspec.training.detection.matching import Boxes, annotated_boxes, detected_boxes, matched, overlaps

Kind = Literal["found", "ignored", "class", "place", "twice", "nothing"]
"""What a detection is: right; in a crowd; of another class; badly placed; a second one of an object; where there is nothing."""

OVERLAP = 0.5
_NEAR = 0.1
_WHOLE = np.array([[0.0, 1e10]])


@dataclass(frozen=True)
class DetectionErrors:
    """The detections of a data set with a score from a threshold, compared with its annotations.

    Attributes:
        threshold: The score at which precision and recall are best balanced (F1), at an overlap of 0.5.
        found: The detections with at least that score.
        true: The annotations.
        kinds: What each detection is.
        others: The annotation of another class that it is placed on, an index of `true`, or −1.
        missed: Whether each annotation is not found; crowds are not missed.
    """

    threshold: float
    found: Boxes
    true: Boxes
    kinds: list[Kind]
    others: NDArray[np.int64]
    missed: NDArray[np.bool_]

    @property
    def counts(self) -> Counter[Kind]:
        """The number of detections of each kind."""
        return Counter(self.kinds)

    @property
    def confused(self) -> list[tuple[int, int, int]]:
        """The pairs of an actual class and the class that was detected in its place, with their number, most frequent first."""
        pairs = Counter(
            (int(self.true.classes[other]), int(kind))
            for other, kind, what in zip(self.others, self.found.classes, self.kinds, strict=True)
            if what == "class"
        )
        return [(actual, predicted, count) for (actual, predicted), count in pairs.most_common()]

    def by_image(self, images: int) -> NDArray[np.int64]:
        """The number of errors in each image, missed objects and wrong detections, (images,)."""
        wrong = np.array([kind not in ("found", "ignored") for kind in self.kinds], bool)
        found: NDArray[np.int64] = np.bincount(self.found.image[wrong], minlength=images)
        return found + np.bincount(self.true.image[self.missed], minlength=images)


def detection_errors(
    boxes: NDArray[Any],
    scores: NDArray[Any],
    classes: NDArray[Any],
    true_boxes: NDArray[Any],
    true_classes: NDArray[Any],
    crowd: NDArray[Any] | None = None,
) -> DetectionErrors:
    """Compares the detections of a data set with its annotations.

    Args:
        boxes: The boxes of the detections, (N, K, 4).
        scores: Their scores, (N, K).
        classes: Their classes, (N, K), −1 for rows without a detection.
        true_boxes: The annotated boxes, (N, M, 4).
        true_classes: Their classes, (N, M), −1 for rows without a box.
        crowd: 1 for a group of objects, (N, M); None if there are none.

    Example:
        >>> box = np.array([[[10.0, 10.0, 50.0, 50.0]]])
        >>> detection_errors(box, np.array([[0.9]]), np.array([[1]]), box, np.array([[0]])).kinds
        ['class']
    """
    every, true = detected_boxes(boxes, scores, classes), annotated_boxes(true_boxes, true_classes, crowd)
    threshold = _best_threshold(every, true)
    found = every.only(every.scores >= threshold)
    matches = matched(found, true, np.array([OVERLAP]), _WHOLE)
    rows, ignored = matches.rows[:, 0, 0], matches.ignored[:, 0, 0]
    taken = np.zeros(len(true), bool)
    taken[rows[rows >= 0]] = True
    kinds: list[Kind] = ["ignored" if skip else "found" for skip in ignored]
    others = np.full(len(found), -1, np.int64)
    starts, ends = (np.searchsorted(true.image, found.image, side=side) for side in ("left", "right"))
    for i in np.nonzero(rows < 0)[0]:
        own = slice(int(starts[i]), int(ends[i]))
        kinds[i], others[i] = _kind(found, int(i), true, own)
    return DetectionErrors(threshold, found, true, kinds, others, ~taken & ~true.crowd)


def _kind(found: Boxes, i: int, true: Boxes, own: slice) -> tuple[Kind, int]:
    """What a detection is that matches no annotation, and the annotation of another class on which it is placed."""
    overlap = overlaps(found.corners[i : i + 1], true.corners[own], true.crowd[own])[0]
    if not len(overlap):
        return "nothing", -1
    same = true.classes[own] == found.classes[i]
    if (overlap[same] >= OVERLAP).any():
        return "twice", -1
    best = int(np.where(same, -1, overlap).argmax())
    if not same[best] and overlap[best] >= OVERLAP:
        return "class", own.start + best
    return ("place" if (overlap[same] >= _NEAR).any() else "nothing"), -1


def _best_threshold(found: Boxes, true: Boxes) -> float:
    """The score from which detections have the best F1; infinity if none is right."""
    matches = matched(found, true, np.array([OVERLAP]), _WHOLE)
    counted = ~matches.ignored[:, 0, 0]
    right, scores = matches.rows[counted, 0, 0] >= 0, found.scores[counted]
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(right[order])
    if not len(hits) or not hits[-1]:
        return float(scores.max()) if len(scores) else np.inf
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + int((~true.crowd).sum()))
    # Equal scores belong together: only the last of them is a threshold.
    last = np.append(scores[order][1:] != scores[order][:-1], True)
    return float(scores[order][np.where(last, f1, -1).argmax()])
