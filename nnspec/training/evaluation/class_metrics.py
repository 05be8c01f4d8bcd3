"""Classification metrics: precision, recall, areas under curves, calibration, confusion, IoU."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.training.evaluation.predictions import ClassPredictions

_MOST_SORTED = 1_000_000
"""The most positions that areas, curves and calibration are computed from."""

_MOST_SCORES = 2**28
"""The most scores, positions times classes, that they are computed from."""

_MOST_IN_MATRIX = 1000
"""The most classes for which the confusion is a matrix."""

_MOST_CURVES = 100

_POINTS = 101
_BINS = 15


def class_metrics(found: ClassPredictions, *, curves: bool = False) -> dict[str, Any]:
    """The metrics of a classification output.

    Args:
        found: The predictions and the targets.
        curves: Whether to include the points of the curves.

    Returns:
        ``accuracy``; ``precision``, ``recall``, ``f1``, ``auc``, ``average_precision`` (means over the classes that occur);
        ``classes`` with the one-vs-rest metrics of each class; ``confusion`` (rows: actual; columns: predicted; None for more
        than 1,000 classes); ``confused``, the pairs of confused classes with the number of positions, the most frequent first;
        ``calibration`` if the outputs are probabilities; ``iou`` if an example has many positions, as a mask has (its Dice
        coefficient is ``f1``); ``curves`` of the 100 largest classes. A metric that is not defined is None.
    """
    from sklearn.metrics import precision_recall_fscore_support

    count = len(found.names)
    labels = np.arange(count)
    precision, recall, f1, support = precision_recall_fscore_support(
        found.true, found.predicted, labels=labels, zero_division=0
    )
    sorted_ = found.thinned(min(_MOST_SORTED, _MOST_SCORES // count))
    rows = [
        {"class": name, "precision": float(p), "recall": float(r), "f1": float(f), "auc": auc, "average_precision": ap}
        for name, p, r, f, (auc, ap) in zip(
            found.names, precision, recall, f1, areas(sorted_.true, sorted_.scores), strict=True
        )
    ]
    if found.each > 1:
        for row, overlap in zip(rows, _overlap(found), strict=True):
            row["iou"] = overlap
    metrics: dict[str, Any] = {"accuracy": float((found.true == found.predicted).mean())}
    there = [row for row, n in zip(rows, support, strict=True) if n]
    for name in ("precision", "recall", "f1", "auc", "average_precision", *(["iou"] if found.each > 1 else [])):
        metrics[name] = _mean([row[name] for row in there])
    metrics["classes"] = [{**row, "rows": int(n)} for row, n in zip(rows, support, strict=True)]
    metrics |= _confusion(found)
    metrics["calibration"] = calibration(sorted_) if found.probabilities else None
    if curves:
        metrics["curves"] = curves_of(sorted_)
    return metrics


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _confusion(found: ClassPredictions) -> dict[str, Any]:
    """The confusion matrix and the confused pairs, of all positions."""
    count = len(found.names)
    pairs, rows = np.unique(found.true * count + found.predicted, return_counts=True)
    actual, predicted = np.divmod(pairs, count)
    matrix = None
    if count <= _MOST_IN_MATRIX:
        whole = np.zeros((count, count), np.int64)
        whole[actual, predicted] = rows
        matrix = whole.tolist()
    wrong = np.flatnonzero(actual != predicted)
    wrong = wrong[np.argsort(-rows[wrong], kind="stable")]
    confused = [
        {"class": found.names[actual[i]], "predicted": found.names[predicted[i]], "rows": int(rows[i])} for i in wrong.tolist()
    ]
    return {"confusion": matrix, "confused": confused}


def _overlap(found: ClassPredictions) -> list[float | None]:
    """Intersection over union of each class (Jaccard 1912)."""
    count = len(found.names)
    true, predicted = (np.bincount(labels, minlength=count) for labels in (found.true, found.predicted))
    both = np.bincount(found.true[found.true == found.predicted], minlength=count)
    union = true + predicted - both
    return [float(b / u) if u else None for b, u in zip(both, union, strict=True)]


def calibration(found: ClassPredictions) -> dict[str, Any]:
    """The calibration error: 15 bins of equal width (Guo et al. 2017).

    Returns:
        ``expected_error``, the mean absolute gap of the bins, weighted by their positions; ``gap``, mean confidence minus
        accuracy, positive for overconfident predictions; ``bins`` without the empty ones, with ``from``, ``to``,
        ``confidence``, ``accuracy`` and ``rows``.
    """
    confidence, right = found.confidence.astype(np.float64), found.true == found.predicted
    place = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    bins = [
        {
            "from": number / _BINS,
            "to": (number + 1) / _BINS,
            "confidence": float(confidence[inside].mean()),
            "accuracy": float(right[inside].mean()),
            "rows": int(inside.sum()),
        }
        for number in range(_BINS)
        if (inside := place == number).any()
    ]
    error = sum(abs(b["confidence"] - b["accuracy"]) * b["rows"] for b in bins) / max(1, len(confidence))
    return {"expected_error": float(error), "gap": float(confidence.mean() - right.mean()), "bins": bins}


def curves_of(found: ClassPredictions) -> list[dict[str, Any]]:
    """The one-vs-rest ROC and precision–recall curves of each class, a hundred points each.

    Of two classes, only the second has a curve. A class to which all or no positions belong has none; of more than a hundred
    classes, the largest hundred have one.
    """
    from sklearn.metrics import precision_recall_curve, roc_curve

    largest = np.argsort(-np.bincount(found.true, minlength=len(found.names)), kind="stable")
    labels = [1] if len(found.names) == 2 else sorted(largest[:_MOST_CURVES].tolist())
    curves = []
    for label in labels:
        true = found.true == label
        if not true.any() or true.all():
            continue
        false_positive, true_positive, _ = roc_curve(true, found.scores[:, label])
        precision, recall, _ = precision_recall_curve(true, found.scores[:, label])
        curves.append(
            {
                "class": found.names[label],
                "roc": _points(false_positive, true_positive),
                "precision_recall": _points(recall[::-1], precision[::-1]),
            }
        )
    return curves


def _points(x: NDArray[Any], y: NDArray[Any]) -> list[list[float]]:
    """Points of a curve, evenly spaced along it, including its ends."""
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    wanted = np.linspace(0, length[-1], _POINTS)
    kept = np.unique(np.searchsorted(length, wanted).clip(0, len(x) - 1)) if len(x) > _POINTS else np.arange(len(x))
    return [[round(float(a), 5), round(float(b), 5)] for a, b in zip(x[kept], y[kept], strict=True)]


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
