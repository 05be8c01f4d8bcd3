"""The evaluation report of one output: classification or regression metrics, as values and as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnspec.training.evaluation.baselines import baselines_text, distinct_baselines
from nnspec.training.evaluation.number_errors import NUMBER_METRICS, number_errors
from nnspec.training.evaluation.predictions import ClassPredictions, NumberPredictions

_MOST_SHOWN = 20
_MOST_CONFUSED = 10


def report_of(found: ClassPredictions | NumberPredictions, *, curves: bool = False) -> dict[str, Any]:
    """Computes the report of one output, as plain values.

    Args:
        found: The predictions and the targets.
        curves: Whether to include the points of the curves.

    Returns:
        For classes, the result of [`class_metrics`][nnspec.training.evaluation.class_metrics.class_metrics]. For numbers,
        ``mean_absolute_error``, ``root_mean_squared_error``, ``r2`` (None if the targets do not vary), and ``residuals``
        (predicted minus actual): ``mean``, ``std`` and ``quantiles``.
    """
    if isinstance(found, ClassPredictions):
        from nnspec.training.evaluation.class_metrics import class_metrics

        return class_metrics(found, curves=curves)
    return _numbers(found)


def _numbers(found: NumberPredictions) -> dict[str, Any]:
    difference = found.predicted - found.true
    at = (0, 5, 25, 50, 75, 95, 100)
    return {
        **number_errors(found.true, found.predicted),
        "residuals": {
            "mean": float(difference.mean()),
            "std": float(difference.std()),
            "quantiles": {str(q): float(value) for q, value in zip(at, np.percentile(difference, at), strict=True)},
        },
    }


def reports_text(reports: Mapping[str, dict[str, Any]]) -> list[str]:
    """Formats reports as lines, with a blank line before each; several numeric outputs share a table.

    Args:
        reports: The report of each output, by name.
    """
    numbers = {name: report for name, report in reports.items() if "confusion" not in report}
    lines = ["", *_side_by_side(numbers)] if len(numbers) > 1 else []
    for name, report in reports.items():
        if name not in numbers:
            lines += ["", *_class_report(name, report)]
        elif len(numbers) == 1:
            lines += ["", *_number_lines(name, report)]
    return lines


def split_reports_text(reports: Mapping[str, dict[str, Any]]) -> list[str]:
    """Formats the reports of metrics of a whole split as lines, with a blank line before each.

    Args:
        reports: The report of each metric, by name.
    """
    lines: list[str] = []
    for report in reports.values():
        rows = report["classes"][:_MOST_SHOWN]
        if not rows:
            continue
        columns = [name for name in rows[0] if name != "class"]
        names = [str(row["class"]) for row in rows]
        wide = max(5, *map(len, names))
        lines += ["", f"{'class':<{wide}}" + "".join(f"  {name}" for name in columns)]
        for name, row in zip(names, rows, strict=True):
            cells = (
                f"{row[key]:>{len(key)},}" if isinstance(row[key], int) else f"{row[key]:>{len(key)}.4f}" for key in columns
            )
            lines.append(f"{name:<{wide}}" + "".join(f"  {cell}" for cell in cells))
        if len(report["classes"]) > _MOST_SHOWN:
            lines.append(f"and {len(report['classes']) - _MOST_SHOWN:,} more classes")
    return lines


def _side_by_side(numbers: Mapping[str, dict[str, Any]]) -> list[str]:
    shown = [*NUMBER_METRICS, "residual_mean"]
    rows = {name: {**report, "residual_mean": report["residuals"]["mean"]} for name, report in numbers.items()}
    rows |= {f"baseline: {name}": metrics for name, metrics in distinct_baselines(numbers)}
    wide = max(map(len, rows))
    lines = [" " * wide + "".join(f"  {key:>8}" for key in shown)]
    for name, metrics in rows.items():
        cells = ["–" if metrics.get(key) is None else f"{metrics[key]:.4g}" for key in shown]
        lines.append(
            f"{name:<{wide}}" + "".join(f"  {cell:>{max(8, len(key))}}" for key, cell in zip(shown, cells, strict=True))
        )
    return lines


def _class_report(name: str, report: dict[str, Any]) -> list[str]:
    shown = [key for key in ("accuracy", "precision", "recall", "f1", "auc", "iou") if report.get(key) is not None]
    lines = [f"{name}: " + "  ".join(f"{key} {report[key]:.4f}" for key in shown)]
    if report["calibration"] is not None:
        error, gap = report["calibration"]["expected_error"], report["calibration"]["gap"]
        lines.append(f"  calibration: expected error {error:.4f}; confidence minus accuracy {gap:+.4f}")
    if "baselines" in report:
        lines.append(f"  baselines: {baselines_text(report['baselines'])}")
    if len(report["classes"]) > _MOST_SHOWN:
        return lines + _confused_lines(report["confused"])
    return lines + _class_lines(report["classes"]) + _confusion_lines(report)


def _confused_lines(confused: list[dict[str, Any]]) -> list[str]:
    """The most frequent confusions."""
    if not confused:
        return []
    shown = confused[:_MOST_CONFUSED]
    rows = sum(pair["rows"] for pair in confused)
    names = [f"{pair['class']} as {pair['predicted']}" for pair in shown]
    lines = [f"  confused: {rows:,} rows in {len(confused):,} pairs of classes" + (", the most frequent:" if shown else "")]
    return lines + [f"    {name:<{max(map(len, names))}}  {pair['rows']:,}" for name, pair in zip(names, shown, strict=True)]


def _number_lines(name: str, report: dict[str, Any]) -> list[str]:
    shown = "  ".join(f"{key} {value:.4g}" for key, value in report.items() if isinstance(value, float))
    q = report["residuals"]["quantiles"]
    return [
        f"{name}: {shown}",
        f"  residuals (predicted minus actual): mean {report['residuals']['mean']:.4g}, median {q['50']:.4g}, "
        f"90 % between {q['5']:.4g} and {q['95']:.4g}",
        *([f"  baselines: mean absolute error of {baselines_text(report['baselines'])}"] if "baselines" in report else []),
    ]


def _class_lines(rows: list[dict[str, Any]]) -> list[str]:
    columns = [key for key in ("precision", "recall", "f1", "auc", "iou") if key in rows[0]]
    names = [str(row["class"]) for row in rows]
    wide = max(5, *map(len, names))
    lines = [f"  {'class':<{wide}}  " + "  ".join(f"{key:>9}" for key in columns) + "    rows"]
    for label, row in zip(names, rows, strict=True):
        metrics = "  ".join(f"{row[key]:>9.4f}" if row[key] is not None else f"{'–':>9}" for key in columns)
        lines.append(f"  {label:<{wide}}  {metrics}  {row['rows']:>6,}")
    return lines


def _confusion_lines(report: dict[str, Any]) -> list[str]:
    names = [str(row["class"]) for row in report["classes"]]
    wide = max(5, *map(len, names))
    cell = max(4, *map(len, names), *(len(str(n)) for row in report["confusion"] for n in row))
    lines = ["  confusion (rows: actual; columns: predicted)"]
    lines += ["  " + " " * wide + "".join(f" {label:>{cell}}" for label in names)]
    lines += [
        f"  {label:<{wide}}" + "".join(f" {n:>{cell}}" for n in row)
        for label, row in zip(names, report["confusion"], strict=True)
    ]
    return lines
