"""Learning curves and evaluation results of a report."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from nnspec.printable import number
from nnspec.reports import plots
from nnspec.reports.elements import Html, element, figure, section, table
from nnspec.reports.images import colored, image_tag
from nnspec.training.evaluation.baselines import baselines_text
from nnspec.training.evaluation.evaluate import Evaluation
from nnspec.training.evaluation.predictions import NumberPredictions
from nnspec.training.evaluation.report import NUMBER_METRICS
from nnspec.training.run.curves import curve_names, draw_curve
from nnspec.training.run.folder import Run

_MOST_CURVES = 12
_MOST_CONFUSED = 30
_MOST_CLASSES = 30
"""The most classes of a confusion matrix that is a table; larger ones are images."""


def learning_curves(run: Run) -> Html:
    """Each metric over the epochs."""
    records = run.metrics()
    if not records:
        return section("Learning curves", element("p", "No epoch is complete.", class_="note"))
    best = (run.info.get("best") or {}).get("epoch", 0)
    drawn = [
        plots.plot(partial(draw_curve, records=records, name=name, best_epoch=best), f"{name} over the epochs")
        for name in curve_names(records)[:_MOST_CURVES]
    ]
    return section("Learning curves", element("div", *(figure(piece) for piece in drawn), class_="plots"))


def results(found: Evaluation, reports: dict[str, dict[str, Any]], train: Evaluation | None) -> Html:
    """The metrics and plots of an evaluation."""
    where = {"train": "training"}.get(found.part, found.part)
    header = ["", where] + (["training"] if train is not None else [])
    rows = [
        [name, _metric(value)] + ([_metric(train.metrics.get(name))] if train is not None else [])
        for name, value in found.metrics.items()
    ]
    note = f"On {len(found.examples):,} {where} examples"
    note += f", and {len(train.examples):,} training examples." if train is not None else "."
    if found.transformed:
        note += " Losses are of transformed targets, as in training; metrics and errors are in the units of the data."
    pieces = [element("p", note, class_="note"), table(header, rows, numbers=(1, 2))]
    several = {name: report for name, report in reports.items() if "confusion" not in report}
    if len(several) > 1:
        pieces.append(_side_by_side(several))
    for name, report in reports.items():
        pieces += _classes(name, report) if "confusion" in report else _numbers(name, report, found)
    return section("Results", *pieces)


def _metric(value: Any) -> str:
    return number(value) if not isinstance(value, list) else ", ".join(number(v) for v in np.ravel(value)[:8])


def _classes(name: str, report: dict[str, Any]) -> list[Html]:
    columns = [key for key in ("precision", "recall", "f1", "auc", "average_precision", "iou") if key in report["classes"][0]]
    rows = [[row["class"], *(_share(row[key]) for key in columns), number(row["rows"])] for row in report["classes"][:200]]
    mean = ["mean over classes", *(_share(report[key]) for key in columns), ""]
    shown = [key.replace("_", " ") for key in columns]
    areas = {str(row["class"]): row["auc"] for row in report["classes"]}
    drawn = [plots.roc(report["curves"], areas), plots.precision_recall(report["curves"])] if report["curves"] else []
    if report["calibration"] is not None:
        drawn.append(plots.reliability(report["calibration"]))
    return [
        element("h3", f"{name}: accuracy {report['accuracy']:.2%}"),
        *([element("p", f"Baselines: {baselines_text(report['baselines'])}.", class_="note")] if "baselines" in report else []),
        table(["class", *shown, "examples"], [*rows, mean], numbers=range(1, len(columns) + 2)),
        element("h3", f"{name}: curves") if drawn else Html(),
        element("div", *(figure(piece) for piece in drawn), class_="plots"),
        element("h3", f"{name}: confusion"),
        _confusion(report),
        element("p", "Rows: actual; columns: predicted.", class_="note"),
    ]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _confusion(report: dict[str, Any]) -> Html:
    names = [str(row["class"]) for row in report["classes"]]
    if report["confusion"] is None:
        pairs = [[pair["class"], pair["predicted"], number(pair["rows"])] for pair in report["confused"][:_MOST_CONFUSED]]
        return table(["actual", "predicted", "examples"], pairs, numbers=(2,))
    counts = np.asarray(report["confusion"])
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    if len(names) > _MOST_CLASSES:
        return image_tag(colored(shares), "confusion of the classes", shown=560, largest=1000)
    wrong = float((shares * (1 - np.eye(len(names)))).max()) or 1.0
    rows = [
        element("tr", element("th", label), *(_cell(i, j, counts, shares, wrong) for j in range(len(names))))
        for i, label in enumerate(names)
    ]
    head = element("tr", element("th", ""), *(element("th", label) for label in names))
    whole = element("table", element("thead", head), element("tbody", *rows), class_="confusion")
    return element("div", whole, class_="wide")


def _cell(i: int, j: int, counts: Any, shares: Any, wrong: float) -> Html:
    count, share = int(counts[i, j]), float(shares[i, j]) if i == j else float(shares[i, j]) / wrong
    if not count:
        return element("td", "·", class_="note")
    return element("td", f"{count:,}", class_="own" if i == j else "miss", style=f"--share:{share:.3f}")


def _side_by_side(reports: dict[str, dict[str, Any]]) -> Html:
    """The errors of several numeric outputs."""
    header = ["", *(key.replace("_", " ") for key in NUMBER_METRICS)]
    rows = [[name, *(number(report[key]) for key in NUMBER_METRICS)] for name, report in reports.items()]
    return Html(element("h3", "errors of all outputs") + table(header, rows, numbers=range(1, len(header))))


def _numbers(name: str, report: dict[str, Any], found: Evaluation) -> list[Html]:
    predictions = found.predictions[name]
    assert isinstance(predictions, NumberPredictions)
    true, predicted = predictions.true.reshape(-1), predictions.predicted.reshape(-1)
    quantiles = report["residuals"]["quantiles"]
    rows = [[key.replace("_", " "), number(value)] for key, value in report.items() if not isinstance(value, dict)]
    rows += [["residuals: " + key, number(report["residuals"][key])] for key in ("mean", "std")]
    rows += [[f"residuals: {q} % are below", number(value)] for q, value in quantiles.items() if q not in ("0", "100")]
    return [
        element("h3", f"{name}: errors"),
        table((), rows, numbers=(1,)),
        element("div", figure(plots.residuals(true, predicted)), figure(plots.histogram(predicted - true)), class_="plots"),
    ]
