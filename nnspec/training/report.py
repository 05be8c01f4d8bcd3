"""What an evaluation says of one output: precision, recall and confusion of classes, errors of numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.kinds import TargetKind

__all__ = ["report_of", "report_text"]

_MOST_SHOWN = 20


def report_of(
    kind: TargetKind,
    target: NDArray[Any],
    answer: NDArray[np.float32],
    *,
    axis: int = -1,
    logits: bool = False,
    ignore: int | None = None,
    classes: list[Any] | None = None,
) -> dict[str, Any] | None:
    """The report of one output.

    Args:
        kind: What its target is.
        target: The targets, examples first.
        answer: What the model gave.
        axis: The axis the classes stand along.
        logits: Whether the model gave logits.
        ignore: A class that is left out.
        classes: The classes' names, in order; their numbers where there are none.

    Returns:
        For classes ``accuracy``, ``precision``, ``recall``, ``f1`` (means over the classes), ``classes`` with the figures of
        each, and ``confusion`` (rows: what is so; columns: what was said). For numbers ``mean_absolute_error``,
        ``root_mean_squared_error``, ``r2``. None for a target of which neither is true.
    """
    if kind == "class":
        said, true = answer.argmax(axis).ravel(), target.ravel()
        kept = true != ignore if ignore is not None else np.ones(len(true), bool)
        return _classes(true[kept], said[kept], classes or list(range(answer.shape[axis])))
    if kind == "distribution":
        return _classes(target.argmax(axis).ravel(), answer.argmax(axis).ravel(), classes or list(range(answer.shape[axis])))
    if kind in ("probability", "sign"):
        threshold = 0.0 if logits or kind == "sign" else 0.5
        # A probability between 0 and 1 as a target is on the side it is nearer to.
        true = target > (0.0 if kind == "sign" and target.min() < 0 else 0.5)
        return _classes(true.ravel().astype(int), (answer > threshold).ravel().astype(int), classes or [0, 1])
    if kind in ("number", "non_negative"):
        return _numbers(target.astype(np.float64), answer.astype(np.float64))
    return None


def _classes(true: NDArray[Any], said: NDArray[Any], names: list[Any]) -> dict[str, Any]:
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    labels = list(range(len(names)))
    precision, recall, f1, support = precision_recall_fscore_support(true, said, labels=labels, zero_division=0)
    there = support > 0
    return {
        "accuracy": float((true == said).mean()),
        "precision": float(precision[there].mean()),
        "recall": float(recall[there].mean()),
        "f1": float(f1[there].mean()),
        "classes": [
            {"class": name, "precision": float(p), "recall": float(r), "f1": float(f), "rows": int(n)}
            for name, p, r, f, n in zip(names, precision, recall, f1, support, strict=True)
        ],
        "confusion": confusion_matrix(true, said, labels=labels).tolist(),
    }


def _numbers(target: NDArray[np.float64], answer: NDArray[np.float64]) -> dict[str, Any]:
    difference = answer - target
    spread = ((target - target.mean(0)) ** 2).sum()
    return {
        "mean_absolute_error": float(np.abs(difference).mean()),
        "root_mean_squared_error": float(np.sqrt((difference**2).mean())),
        "r2": float(1 - (difference**2).sum() / spread) if spread > 0 else None,
    }


def report_text(name: str, report: dict[str, Any]) -> list[str]:
    """The report as lines."""
    if "confusion" not in report:
        shown = "  ".join(f"{key} {value:.4g}" for key, value in report.items() if value is not None)
        return [f"{name}: {shown}"]
    lines = [f"{name}: " + "  ".join(f"{key} {report[key]:.4f}" for key in ("accuracy", "precision", "recall", "f1"))]
    if len(report["classes"]) > _MOST_SHOWN:
        return lines
    names = [str(row["class"]) for row in report["classes"]]
    wide = max(5, *map(len, names))
    lines.append(f"  {'class':<{wide}}  precision  recall      f1    rows")
    lines += [
        f"  {label:<{wide}}  {row['precision']:>9.4f}  {row['recall']:>6.4f}  {row['f1']:>6.4f}  {row['rows']:>6,}"
        for label, row in zip(names, report["classes"], strict=True)
    ]
    cell = max(4, *map(len, names), *(len(str(n)) for row in report["confusion"] for n in row))
    lines += ["  confusion (rows: what it is; columns: what was said)"]
    lines += ["  " + " " * wide + "".join(f" {label:>{cell}}" for label in names)]
    lines += [
        f"  {label:<{wide}}" + "".join(f" {n:>{cell}}" for n in row)
        for label, row in zip(names, report["confusion"], strict=True)
    ]
    return lines
