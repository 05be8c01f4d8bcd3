"""One-vs-rest areas under the curves of each class, for thousands of classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Area", "areas"]

_BLOCK = 2**24
"""The approximate number of scores that are sorted at a time."""

Area = tuple[float | None, float | None]
"""The area under the ROC curve and the average precision; None if all or no positions belong to the class."""


def areas(true: NDArray[np.int64], scores: NDArray[Any]) -> list[Area]:
    """Computes the areas of each class as defined by scikit-learn's ``roc_auc_score`` and ``average_precision_score``.

    Each class takes one sort of its scores. Both areas follow from the ranks of its positions, ties included.

    Args:
        true: The class of each position, (N,).
        scores: The score of each position for each class, (N, C).

    Example:
        >>> areas(np.array([0, 0, 1, 1]), np.array([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]]))
        [(0.75, 0.8333333333333333), (0.75, 0.8333333333333333)]
    """
    order = np.argsort(true, kind="stable")
    counts = np.bincount(true, minlength=scores.shape[1])[: scores.shape[1]]
    members = np.split(order, np.cumsum(counts))
    found: list[Area] = [(None, None)] * scores.shape[1]
    for label, column in _columns(scores, np.flatnonzero((counts > 0) & (counts < len(true)))):
        own = np.sort(column[members[label]])
        ordered = np.sort(column)
        below, upto = np.searchsorted(ordered, own, "left"), np.searchsorted(ordered, own, "right")
        positive, rest = len(own), len(column) - len(own)
        # Mann and Whitney 1947: ranks from 1, averaged for ties.
        above = (below + (upto - below + 1) / 2).sum() - positive * (positive + 1) / 2
        at_least = positive - np.searchsorted(own, own, "left")
        found[label] = float(above / (positive * rest)), float((at_least / (len(column) - below)).mean())
    return found


def _columns(scores: NDArray[Any], labels: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[Any]]]:
    """The scores of classes, each contiguous in memory."""
    step = max(1, _BLOCK // max(len(scores), 1))
    for start in range(0, len(labels), step):
        some = labels[start : start + step]
        yield from zip(some.tolist(), np.ascontiguousarray(scores[:, some].T), strict=True)
