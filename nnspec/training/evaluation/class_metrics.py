"""The figures of classes: precision and recall, areas under curves, calibration, confusion, overlap."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.training.catalogue.class_areas import areas
from nnspec.training.evaluation.predictions import ClassPredictions

__all__ = ["calibration", "class_figures", "curves_of"]

_MOST_SORTED = 1_000_000
"""Positions of which areas, curves and calibration are made, at most."""

_MOST_SCORES = 2**28
"""The same as scores: positions times classes."""

_MOST_IN_MATRIX = 1000
"""The most classes whose confusion is given as a matrix."""

_MOST_CURVES = 100

_POINTS = 101
_BINS = 15


def class_figures(found: ClassPredictions, *, curves: bool = False) -> dict[str, Any]:
    """The figures of an output of classes.

    Args:
        found: What was said, and what is so.
        curves: Whether the points of the curves are wanted too.

    Returns:
        ``accuracy``; ``precision``, ``recall``, ``f1``, ``auc``, ``average_precision`` (means over the classes that are
        there); ``classes`` with the figures of each, itself against the rest; ``confusion`` (rows: actual; columns: predicted;
        None for more than 1,000 classes); ``confused``: each two classes that were confused, the most frequent first, with
        the number of positions; ``calibration`` where the answers are probabilities; ``iou`` where an example has many
        positions, as a mask has (its Dice coefficient is ``f1``); ``curves``, of the 100 largest classes. A figure that is
        not defined is None.
    """
    from sklearn.metrics import precision_recall_fscore_support

    count = len(found.names)
    labels = np.arange(count)
    precision, recall, f1, support = precision_recall_fscore_support(found.true, found.said, labels=labels, zero_division=0)
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
    figures: dict[str, Any] = {"accuracy": float((found.true == found.said).mean())}
    there = [row for row, n in zip(rows, support, strict=True) if n]
    for name in ("precision", "recall", "f1", "auc", "average_precision", *(["iou"] if found.each > 1 else [])):
        figures[name] = _mean([row[name] for row in there])
    figures["classes"] = [{**row, "rows": int(n)} for row, n in zip(rows, support, strict=True)]
    figures |= _confusion(found)
    figures["calibration"] = calibration(sorted_) if found.probabilities else None
    if curves:
        figures["curves"] = curves_of(sorted_)
    return figures


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _confusion(found: ClassPredictions) -> dict[str, Any]:
    """How often each class was predicted for each; every position is in it."""
    count = len(found.names)
    pairs, rows = np.unique(found.true * count + found.said, return_counts=True)
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
    true, said = (np.bincount(labels, minlength=count) for labels in (found.true, found.said))
    both = np.bincount(found.true[found.true == found.said], minlength=count)
    union = true + said - both
    return [float(b / u) if u else None for b, u in zip(both, union, strict=True)]


def calibration(found: ClassPredictions) -> dict[str, Any]:
    """How far confidence is from how often it is right (Guo et al. 2017, 15 bins of equal width).

    Returns:
        ``expected_error``: the mean of the gap, bins weighted by their positions; ``gap``: mean confidence less accuracy, above
        0 for answers that are too sure of themselves; ``bins`` with ``from``, ``to``, ``confidence``, ``accuracy``, ``rows``,
        the empty ones left out.
    """
    sure, right = found.confidence.astype(np.float64), found.true == found.said
    place = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    bins = [
        {
            "from": number / _BINS,
            "to": (number + 1) / _BINS,
            "confidence": float(sure[inside].mean()),
            "accuracy": float(right[inside].mean()),
            "rows": int(inside.sum()),
        }
        for number in range(_BINS)
        if (inside := place == number).any()
    ]
    error = sum(abs(b["confidence"] - b["accuracy"]) * b["rows"] for b in bins) / max(1, len(sure))
    return {"expected_error": float(error), "gap": float(sure.mean() - right.mean()), "bins": bins}


def curves_of(found: ClassPredictions) -> list[dict[str, Any]]:
    """The ROC curve and the precision–recall curve of each class against the rest, a hundred points each.

    Of two classes the second alone: the first's says the same. A class of which all or none are has no curve; of more than a
    hundred classes the largest hundred have one.
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
    """So many points of a curve, its ends among them, evenly spread along its way."""
    way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    wanted = np.linspace(0, way[-1], _POINTS)
    kept = np.unique(np.searchsorted(way, wanted).clip(0, len(x) - 1)) if len(x) > _POINTS else np.arange(len(x))
    return [[round(float(a), 5), round(float(b), 5)] for a, b in zip(x[kept], y[kept], strict=True)]
