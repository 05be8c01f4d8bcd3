"""Learning curves and evaluation results of a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from nnspec.html_elements import FOLDED, Html, element, figure, fold, section, table
from nnspec.printable import number
from nnspec.reports import plots
from nnspec.reports.images import colored, image_tag
from nnspec.training.evaluation.baselines import distinct_baselines
from nnspec.training.evaluation.evaluate import Evaluation
from nnspec.training.evaluation.number_errors import NUMBER_METRICS
from nnspec.training.evaluation.predictions import NumberPredictions
from nnspec.training.run.curves import curve_names, draw_curve
from nnspec.training.run.folder import Run

_CURVES = 3
"""The most curves that are not folded."""
_MOST_CONFUSED = 30
_MOST_CLASSES = 30
"""The most classes of a confusion matrix that is a table; larger ones are images."""
_MOST_SERIES = 4


def learning_curves(run: Run) -> Html:
    """Each metric over the epochs, those of single outputs folded if there are many."""
    records = run.metrics()
    if not records:
        return section("Learning curves", element("p", "No epoch is complete.", class_="note"))
    best = run.info.get("best") or {}
    names = curve_names(records)
    first = [name for name in ("loss", str(best.get("monitor")).removeprefix("val_")) if name in names]
    ordered = list(dict.fromkeys([*first, *names]))
    drawn = [
        figure(
            plots.plot(
                partial(draw_curve, records=records, name=name, best_epoch=best.get("epoch", 0)), f"{name} over the epochs"
            )
        )
        for name in ordered
    ]
    if len(drawn) <= 2 * _CURVES:
        return section("Learning curves", element("div", *drawn, class_="plots"))
    more = fold(f"{len(drawn) - _CURVES} more", element("div", *drawn[_CURVES:], class_="plots"))
    return section("Learning curves", element("div", *drawn[:_CURVES], class_="plots"), more)


def results(found: Evaluation, reports: dict[str, dict[str, Any]], train: Evaluation | None) -> Html:
    """The metrics and plots of an evaluation. The details of each output are folded if there are several."""
    pieces = metric_tables(found, reports, train)
    for name, report in reports.items():
        is_class = "confusion" in report
        own = _classes(name, report) if is_class else _numbers(name, report, found)
        summary = f"{name}: accuracy {report['accuracy']:.2%}" if is_class else f"{name}: {_error_text(report)}"
        pieces.append(fold(summary, *own) if len(reports) >= FOLDED else Html("".join([element("h3", summary), *own])))
    return section("Results", *pieces)


def metric_tables(found: Evaluation, reports: dict[str, dict[str, Any]], train: Evaluation | None) -> list[Html]:
    """The losses and metrics, and the metrics of all outputs with those of their baselines."""
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
    classes = {name: report for name, report in reports.items() if "confusion" in report}
    numbers = {name: report for name, report in reports.items() if "confusion" not in report}
    return [*pieces, *_scores("accuracy", CLASS_METRICS, classes), *_scores("errors", NUMBER_METRICS, numbers)]


def _metric(value: Any) -> str:
    return number(value) if not isinstance(value, list) else ", ".join(number(v) for v in np.ravel(value)[:8])


def _error_text(report: dict[str, Any]) -> str:
    r2 = "" if report["r2"] is None else f", R² {report['r2']:.3f}"
    return f"mean absolute error {number(report['mean_absolute_error'])}{r2}"


def _scores(title: str, metrics: Sequence[str], reports: dict[str, dict[str, Any]]) -> list[Html]:
    """The metrics of outputs and of their baselines, in one table."""
    compared = distinct_baselines(reports)
    shown = [key for key in metrics if any(report.get(key) is not None for report in reports.values())]
    if not shown or (len(reports) == 1 and not compared):
        return []
    rows = [[name, *(_score(key, report.get(key)) for key in shown)] for name, report in reports.items()]
    rows += [[f"baseline: {name}", *(_score(key, scores.get(key)) for key in shown)] for name, scores in compared]
    kinds = [None] * len(reports) + ["baseline"] * len(compared)
    header = ["", *("R²" if key == "r2" else key.replace("_", " ") for key in shown)]
    skipped = {
        f"{name}: {found['skipped']}"
        for report in reports.values()
        for key, name in (("mean", "mean of the training targets"), ("nearest_neighbors", "nearest neighbors"))
        if isinstance(found := report.get("baselines", {}).get(key), dict) and "skipped" in found
    }
    why = element("p", f"Not computed: {'; '.join(sorted(skipped))}.", class_="note") if skipped else Html()
    return [element("h3", title), table(header, rows, numbers=range(1, len(header)), kinds=kinds), why]


def _score(key: str, value: float | None) -> str:
    return number(value) if key in NUMBER_METRICS and key != "r2" else _share(value)


CLASS_METRICS = ("accuracy", "precision", "recall", "f1", "auc", "average_precision", "iou")


def _classes(name: str, report: dict[str, Any]) -> list[Html]:
    columns = [key for key in CLASS_METRICS if key in report["classes"][0]]
    rows = [[row["class"], *(_share(row[key]) for key in columns), number(row["rows"])] for row in report["classes"][:200]]
    mean = ["mean over classes", *(_share(report[key]) for key in columns), ""]
    shown = [key.replace("_", " ") for key in columns]
    areas = {str(row["class"]): row["auc"] for row in report["classes"]}
    drawn = [plots.roc(report["curves"], areas), plots.precision_recall(report["curves"])] if report["curves"] else []
    if report["calibration"] is not None:
        drawn.append(plots.reliability(report["calibration"]))
    return [
        table(["class", *shown, "examples"], [*rows, mean], numbers=range(1, len(columns) + 2)),
        element("h4", f"{name}: curves") if drawn else Html(),
        element("div", *(figure(piece) for piece in drawn), class_="plots"),
        element("h4", f"{name}: confusion"),
        *_confusion(report),
    ]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _confusion(report: dict[str, Any]) -> list[Html]:
    """The confusion matrix in percent of the actual classes, with the counts in a fold; of many classes, an image and pairs."""
    names = [str(row["class"]) for row in report["classes"]]
    pairs = [[pair["class"], pair["predicted"], number(pair["rows"])] for pair in report["confused"][:_MOST_CONFUSED]]
    confused = table(["actual", "predicted", "examples"], pairs, numbers=(2,))
    if report["confusion"] is None:
        return [confused]
    counts = np.asarray(report["confusion"])
    totals = counts.sum(1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    if len(names) > _MOST_CLASSES:
        image = image_tag(colored(shares), "confusion of the classes", shown=560, largest=1000)
        note = "Rows: actual; columns: predicted. Each row is the share of the examples of its class."
        return [figure(image, note), fold("The most frequent confusions", confused) if pairs else Html()]
    wrong = float((shares * (1 - np.eye(len(names)))).max()) or 1.0

    def percent(i: int, j: int) -> Html:
        count, share = int(counts[i, j]), float(shares[i, j])
        if not count:
            return element("td", "·", class_="note")
        text = f"{100 * share:.0f}" if share >= 0.005 else "<1"
        title = f"{names[i]} predicted as {names[j]}: {count:,} of {int(totals[i, 0]):,}, {share:.1%}"
        shade = f"--share:{share if i == j else share / wrong:.3f}"
        return element("td", text, class_="own" if i == j else "miss", style=shade, title=title)

    def count(i: int, j: int) -> Html:
        return element("td", f"{int(counts[i, j]):,}", class_=None if counts[i, j] else "note")

    note = "Rows: actual; columns: predicted. Percent of the examples of the actual class."
    return [
        _matrix(names, percent, [f"{int(total):,}" for total in totals[:, 0]]),
        element("p", note, class_="note"),
        fold("Counts", _matrix(names, count, [f"{int(total):,}" for total in totals[:, 0]])),
    ]


def _matrix(names: Sequence[str], cell: Callable[[int, int], Html], totals: Sequence[str]) -> Html:
    rows = [
        element("tr", element("th", label), *(cell(i, j) for j in range(len(names))), element("td", totals[i], class_="total"))
        for i, label in enumerate(names)
    ]
    head = element("tr", element("td", ""), *(element("th", label) for label in names), element("th", "examples"))
    whole = element("table", element("thead", head), element("tbody", *rows), class_="confusion")
    return element("div", whole, class_="wide", tabindex=0)


def _numbers(name: str, report: dict[str, Any], found: Evaluation) -> list[Html]:
    predictions = found.predictions[name]
    assert isinstance(predictions, NumberPredictions)
    true, predicted = predictions.true.reshape(-1), predictions.predicted.reshape(-1)
    residuals = report["residuals"]
    header = ["mean", "std", *(f"{q} %" for q in residuals["quantiles"])]
    row = [number(value) for value in (residuals["mean"], residuals["std"], *residuals["quantiles"].values())]
    what = "examples" if true.size == len(predictions.true) else "values"
    drawn = [*_series(name, found), plots.residuals(true, predicted), plots.histogram(predicted - true, what)]
    return [
        table(["residuals", *header], [["predicted minus actual", *row]], numbers=range(1, len(header) + 1)),
        element("p", "The mean, the standard deviation and the quantiles of the residuals.", class_="note"),
        element("div", *(figure(piece) for piece in drawn), class_="plots"),
    ]


def _series(name: str, found: Evaluation) -> list[Html]:
    """The actual and the predicted values over time, of the series with the most examples."""
    forecasts = found.forecasts(name)
    if forecasts is None:
        return []
    known, counts = np.unique(forecasts.series, return_counts=True)
    ahead = "" if forecasts.future.shape[1] == 1 else ", one step ahead"
    drawn = []
    for index in known[np.argsort(-counts, kind="stable")][:_MOST_SERIES]:
        own = forecasts.series == index
        label = forecasts.labels[index] if len(forecasts.labels) > 1 else forecasts.columns[0]
        drawn.append(plots.forecast(forecasts.future[own, 0, 0], forecasts.predicted[own, 0, 0], f"{label}{ahead}"))
    return drawn
