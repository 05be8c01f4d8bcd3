"""Average precision and recall of detections: the twelve numbers of COCO (Lin et al. 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.training.detection.matching import MOST_DETECTIONS, annotated_boxes, detected_boxes, matched, ranks

THRESHOLDS: NDArray[np.float64] = np.linspace(0.5, 0.95, 10)
"""The overlaps from which a detection is right."""

RECALLS: NDArray[np.float64] = np.linspace(0.0, 1.0, 101)
"""The recalls at which precisions are averaged."""

_NO_LIMIT = 1e10
_FEW = (1, 10)
"""The numbers of detections by image and class of the two other recalls."""


@dataclass(frozen=True)
class AveragePrecision:
    """The average precisions and recalls of a data set.

    Attributes:
        classes: The classes that occur, (C,).
        precision: The precision at each threshold and recall, by class, (10, 101, C), of boxes of all sizes.
        numbers: The twelve numbers of COCO, by name; −1 if there are no such boxes.
        recall: The largest recall at each threshold, by class, (10, C), of boxes of all sizes.
        boxes: The number of annotated boxes of each class, without crowds, (C,).
    """

    classes: NDArray[np.int64]
    precision: NDArray[np.float64]
    numbers: dict[str, float]
    recall: NDArray[np.float64]
    boxes: NDArray[np.int64]

    @property
    def by_class(self) -> NDArray[np.float64]:
        """The average precision of each class over the thresholds, (C,)."""
        found: NDArray[np.float64] = self.precision.mean((0, 1))
        return found

    def report(self, names: Sequence[Any] | None = None) -> dict[str, Any]:
        """The classes with their average precisions and curves, as plain values.

        Args:
            names: The names of the classes, in order; None to use their indices.

        Returns:
            ``classes``, each with ``class``, ``boxes``, ``average_precision``, ``average_precision_50`` and ``recall_50``, the
            largest recall; and ``curve``, the ``recall`` and the mean ``precision`` of the classes at an overlap of 0.5.
        """
        labels = [names[index] if names is not None and index < len(names) else int(index) for index in self.classes]
        columns = (labels, self.boxes.tolist(), self.by_class, self.precision[0].mean(0), self.recall[0])
        rows = [
            {
                "class": label,
                "boxes": boxes,
                "average_precision": float(mean),
                "average_precision_50": float(half),
                "recall_50": float(recall),
            }
            for label, boxes, mean, half, recall in zip(*columns, strict=True)
        ]
        curve = self.precision[0].mean(-1).tolist() if len(rows) else []
        return {"classes": rows, "curve": {"recall": RECALLS.tolist() if curve else [], "precision": curve}}


_DECIMALS = 3
"""Annotated corners that are moved back are rounded to thousandths of a pixel, since they have rounding errors."""


def in_stored_images(
    found: NDArray[Any], true: NDArray[Any], frames: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Moves detections and annotations from the network's input to the images as stored.

    Args:
        found: The boxes of the detections, (N, K, 4).
        true: The annotated boxes, (N, M, 4).
        frames: The scale and the offset of each image in the network's input, each for x and y, (N, 4).

    Example:
        >>> boxes = np.array([[[4.0, 4, 8, 12]]])
        >>> in_stored_images(boxes, boxes, np.array([[0.5, 0.5, 0, 2]]))[1].tolist()
        [[[8.0, 4.0, 16.0, 20.0]]]
    """
    found, true = found.astype(np.float64), true.astype(np.float64)
    if (frames == [1, 1, 0, 0]).all():
        return found, true
    scale, offset = (np.tile(frames[:, part], 2)[:, None] for part in (slice(0, 2), slice(2, 4)))
    moved = ((boxes - offset) / scale for boxes in (found, true))
    return next(moved), np.round(next(moved), _DECIMALS)


class AveragePrecisions:
    """Accumulates the matches of detections, image by image.

    Args:
        small: The side of a square, in pixels, up to whose area boxes are small.
        large: The side of a square, in pixels, from whose area boxes are large.

    Example:
        >>> found = AveragePrecisions()
        >>> boxes = np.array([[[10.0, 10.0, 50.0, 50.0]]])
        >>> found.add(boxes, np.array([[0.9]]), np.array([[0]]), boxes, np.array([[0]]))
        >>> round(found.result().numbers["mean_average_precision"], 4)
        1.0
    """

    def __init__(self, small: float = 32.0, large: float = 96.0) -> None:
        middle = [[0.0, small**2], [small**2, large**2], [large**2, _NO_LIMIT]]
        self._ranges = np.array([[0.0, _NO_LIMIT], *middle])
        self._parts: list[_Part] = []

    def add(
        self,
        boxes: NDArray[Any],
        scores: NDArray[Any],
        classes: NDArray[Any],
        true_boxes: NDArray[Any],
        true_classes: NDArray[Any],
        crowd: NDArray[Any] | None = None,
    ) -> None:
        """Adds the images of a batch.

        Args:
            boxes: The boxes of the detections, `x1 y1 x2 y2` in pixels, (N, K, 4).
            scores: Their scores, (N, K).
            classes: Their classes, (N, K), −1 for rows without a detection.
            true_boxes: The annotated boxes, (N, M, 4).
            true_classes: Their classes, (N, M), −1 for rows without a box.
            crowd: 1 for a group of objects, (N, M); None if there are none.
        """
        found, true = detected_boxes(boxes, scores, classes), annotated_boxes(true_boxes, true_classes, crowd)
        matches = matched(found, true, THRESHOLDS, self._ranges)
        known, where = np.unique(true.classes, return_inverse=True)
        needed = np.zeros((len(known), len(self._ranges)), np.int64)
        np.add.at(needed, where, ~matches.ignored_annotations)
        right = (matches.rows >= 0).reshape(len(found), len(self._ranges) * len(THRESHOLDS))
        ignored = matches.ignored.reshape(right.shape)
        self._parts.append(
            _Part(
                found.classes.astype(np.int32),
                found.scores,
                ranks(found),
                np.packbits(right, 1),
                np.packbits(ignored, 1),
                dict(zip(known.tolist(), needed, strict=True)),
            )
        )

    def result(self) -> AveragePrecision:
        """The average precisions of all images that were added."""
        whole = _joined(self._parts, len(self._ranges))
        known = sorted(name for name, count in whole.needed.items() if count[0])
        order = np.argsort(whole.classes, kind="stable")
        starts = np.searchsorted(whole.classes[order], known)
        ends = np.searchsorted(whole.classes[order], known, side="right")
        tables = [_Table(len(self._ranges), len(known), most) for most in (*_FEW, MOST_DETECTIONS)]
        for place, (name, start, end) in enumerate(zip(known, starts, ends, strict=True)):
            own = whole.only(order[start:end])
            for table in tables:
                table.set(place, own, whole.needed[name])
        few, some, most = tables
        boxes = np.array([whole.needed[name][0] for name in known], np.int64)
        return AveragePrecision(np.array(known, np.int64), most.precision[0], _numbers(few, some, most), most.recall[0], boxes)


@dataclass(frozen=True)
class _Part:
    """The detections of some images. The bits are by range of areas and threshold."""

    classes: NDArray[np.int32]
    scores: NDArray[np.float64]
    ranks: NDArray[np.int64]
    right: NDArray[np.uint8]
    ignored: NDArray[np.uint8]
    needed: dict[int, NDArray[np.int64]] = field(default_factory=dict)

    def only(self, which: NDArray[Any]) -> _Part:
        """Some of the detections."""
        own = self.right[which], self.ignored[which]
        return _Part(self.classes[which], self.scores[which], self.ranks[which], *own)


def _joined(parts: list[_Part], ranges: int) -> _Part:
    needed: dict[int, Any] = {}
    for part in parts:
        for name, count in part.needed.items():
            needed[name] = needed.get(name, 0) + count
    size = -(-ranges * len(THRESHOLDS) // 8)
    none = np.zeros((0, size), np.uint8)
    empty = _Part(np.zeros(0, np.int32), np.zeros(0), np.zeros(0, np.int64), none, none)
    classes, scores, ranks, right, ignored = (
        np.concatenate([getattr(part, name) for part in [empty, *parts]])
        for name in ("classes", "scores", "ranks", "right", "ignored")
    )
    return _Part(classes, scores, ranks, right, ignored, needed)


class _Table:
    """Precisions and recalls of the first detections of each image and class.

    Args:
        ranges: The number of ranges of areas.
        classes: The number of classes.
        most: The most detections of an image and class.
    """

    def __init__(self, ranges: int, classes: int, most: int) -> None:
        self._most = most
        self.precision = np.full((ranges, len(THRESHOLDS), len(RECALLS), classes), -1.0)
        self.recall = np.full((ranges, len(THRESHOLDS), classes), -1.0)

    def set(self, place: int, own: _Part, needed: NDArray[np.int64]) -> None:
        """Computes the precisions and recalls of a class.

        Args:
            place: Its position.
            own: Its detections, by image.
            needed: The number of annotations to find, by range of areas.
        """
        own = own.only(own.ranks < self._most)
        own = own.only(np.argsort(-own.scores, kind="stable"))
        ranges, thresholds = self.recall.shape[:2]
        shape = (len(own.scores), ranges, thresholds)
        right, ignored = (
            np.unpackbits(bits, 1, count=ranges * thresholds).reshape(shape).astype(bool) for bits in (own.right, own.ignored)
        )
        hits = np.cumsum(right & ~ignored, 0).astype(np.float64)
        misses = np.cumsum(~right & ~ignored, 0).astype(np.float64)
        for area in np.nonzero(needed)[0]:
            recall = hits[:, area] / needed[area]
            precision = hits[:, area] / (misses[:, area] + hits[:, area] + np.spacing(1))
            precision = np.maximum.accumulate(precision[::-1], 0)[::-1]
            self.recall[area, :, place] = recall[-1] if len(recall) else 0.0
            for threshold in range(thresholds):
                at = np.searchsorted(recall[:, threshold], RECALLS, side="left")
                reached = at < len(recall)
                self.precision[area, threshold, :, place] = 0.0
                self.precision[area, threshold, reached, place] = precision[at[reached], threshold]


def _numbers(few: _Table, some: _Table, most: _Table) -> dict[str, float]:
    precision, recall = most.precision, most.recall
    found = {
        "mean_average_precision": precision[0],
        "mean_average_precision_50": precision[0, 0],
        "mean_average_precision_75": precision[0, 5],
        "mean_average_precision_small": precision[1],
        "mean_average_precision_medium": precision[2],
        "mean_average_precision_large": precision[3],
        "mean_average_recall_1": few.recall[0],
        "mean_average_recall_10": some.recall[0],
        "mean_average_recall": recall[0],
        "mean_average_recall_small": recall[1],
        "mean_average_recall_medium": recall[2],
        "mean_average_recall_large": recall[3],
    }
    return {name: _mean(values) for name, values in found.items()}


def _mean(values: NDArray[np.float64]) -> float:
    """The mean of the values of classes that have boxes; −1 if there are none."""
    known = values[values > -1]
    return float(np.mean(known)) if known.size else -1.0
