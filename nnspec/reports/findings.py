"""Findings: possible problems of a run, with the metrics that show them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nnspec.html_elements import Html, element, section
from nnspec.layers.normalization import BatchNormalization
from nnspec.printable import html_text
from nnspec.training.evaluation.baselines import baseline_names
from nnspec.training.evaluation.evaluate import Evaluation
from nnspec.training.evaluation.predictions import ClassPredictions
from nnspec.training.run.folder import Run


@dataclass(frozen=True)
class Finding:
    """A possible problem of a run.

    Attributes:
        level: Its severity.
        text: The problem, and how to solve it.
        course: The course of the monitored metric: whether it still improved in the last epoch, or was best long before it.
    """

    level: Literal["bad", "look", "good"]
    text: str
    course: Literal["improving", "peaked"] | None = None


def findings(
    run: Run,
    found: Evaluation | None,
    train: Evaluation | None,
    reports: dict[str, dict[str, Any]],
    of_objective: Iterable[Finding] = (),
) -> list[Finding]:
    """Collects the findings of a run.

    Args:
        run: The run.
        found: Its evaluation; None if the data do not exist.
        train: Its evaluation on the training data, or a part of them.
        reports: The reports of the outputs of `found`.
        of_objective: The findings of the run's objective.
    """
    of_log = list(of_objective)
    items = list(_ending(run))
    if found is not None:
        if found.part != "test":
            which = (
                "These metrics use the training data"
                if found.part == "train"
                else "These metrics use the validation data that also selected the weights"
            )
            items.append(Finding("look", f"{which}, so they are optimistic. Add `data.test`."))
        if train is not None and found.part != "train":
            course = next((finding for finding in of_log if finding.course is not None), None)
            gaps = list(_gaps(found, train))
            if gaps and course is not None and course.course == "improving":
                of_log.remove(course)
            items += _gap_findings(gaps, course)
            items += _unsettled(run, train, longer=course is None or course.course != "peaked")
        for name, report in reports.items():
            predictions = found.predictions[name]
            if isinstance(predictions, ClassPredictions):
                items += _classes(name, report, predictions, train.predictions.get(name) if train else None)
            else:
                items += _numbers(name, report)
        items += _biases({name: report for name, report in reports.items() if "residuals" in report})
    items += of_log
    items += [Finding("look", str(warning.get("message"))) for warning in run.info.get("warnings", [])]
    return items


def findings_section(items: list[Finding]) -> Html:
    """The findings as a section of the page, the most severe first."""
    order = {"bad": 0, "look": 1, "good": 2}
    if not any(finding.level != "good" for finding in items):
        items = [*items, Finding("good", "No problems found. The checks cover common problems only.")]
    entries = (
        element("li", _marked(finding.text), class_=finding.level) for finding in sorted(items, key=lambda f: order[f.level])
    )
    return section("Findings", element("ul", *entries, class_="findings"))


def _marked(text: str) -> Html:
    """Formats text between backticks as code."""
    pieces = text.split("`")
    return Html("".join(element("code", piece) if i % 2 else html_text(piece) for i, piece in enumerate(pieces)))


def _ending(run: Run) -> Iterator[Finding]:
    if run.status in ("running", "interrupted", "failed"):
        reason = f": {run.info['reason']}" if run.info.get("reason") else ""
        yield Finding("bad", f"The training is not complete ({run.status}{reason}).")


def _gaps(found: Evaluation, train: Evaluation) -> Iterator[tuple[Literal["bad", "look"], str]]:
    """Much better metrics on training examples, each with its severity."""
    for name, predictions in found.predictions.items():
        before = train.predictions.get(name)
        if not isinstance(predictions, ClassPredictions) or not isinstance(before, ClassPredictions):
            continue
        here, there = (float((j.true == j.predicted).mean()) for j in (predictions, before))
        # Two standard errors of the difference of two proportions.
        chance = 2 * math.sqrt(sum(p * (1 - p) / len(j.true) for p, j in ((here, predictions), (there, before))))
        if there - here > max(0.02, chance):
            text = f"The accuracy of `{name}` is {there:.1%} on training and {here:.1%} on {_words(found.part)} examples"
            yield "bad" if there - here > 0.1 else "look", text
    losses = float(train.metrics["loss"]), float(found.metrics["loss"])
    if losses[0] > 0 and losses[1] > 2 * losses[0]:
        text = f"The loss is {losses[0]:.4g} on training and {losses[1]:.4g} on {_words(found.part)} examples"
        yield "look", f"{text}, {losses[1] / losses[0]:.1f} times as much"


def _gap_findings(gaps: list[tuple[Literal["bad", "look"], str]], course: Finding | None) -> Iterator[Finding]:
    """Overfitting; or, while the monitored metric still improves, one finding that does not advise against longer training."""
    if course is None or course.course != "improving":
        for level, text in gaps:
            yield Finding(level, f"{text}: the model overfits, or the distributions differ. {_REMEDIES}")
    elif gaps:
        level = "bad" if any(level == "bad" for level, _ in gaps) else "look"
        gap = ". ".join(text for _, text in gaps)
        advice = "Train longer first; if it then gets worse while the training loss falls, the model overfits."
        yield Finding(level, f"{gap}. But {course.text.partition(':')[0]}: it still improves. {advice}")


def _unsettled(run: Run, train: Evaluation, *, longer: bool) -> Iterator[Finding]:
    """Batch normalization whose moving averages, used in inference, lag behind the batch statistics of training."""
    logged = ((run.info.get("best") or {}).get("figures") or {}).get("loss")
    normal = [node.name for node in train.plan.graph.nodes.values() if isinstance(node.layer, BatchNormalization)]
    inference = float(train.metrics["loss"])
    if normal and isinstance(logged, float) and inference > 2 * logged > 0:
        text = f"On training examples, the loss is {logged:.4g} in training mode and {inference:.4g} in inference mode"
        advice = "Train longer, or lower `momentum`." if longer else "Lower `momentum`."
        yield Finding("look", f"{text}: the moving averages of `{normal[0]}` lag behind. {advice}")


_REMEDIES = "Use more data, augmentation, dropout, weight decay or a smaller network."


def _classes(name: str, report: dict[str, Any], predictions: ClassPredictions, train: Any) -> Iterator[Finding]:
    yield from _imbalance(name, report, train if isinstance(train, ClassPredictions) else predictions)
    total, accuracy = len(predictions.true), report["accuracy"]
    low, high = _wilson(accuracy, total)
    if predictions.each == 1 and high - low > 0.05:
        text = f"The accuracy of `{name}`, {accuracy:.1%}, is uncertain with {total:,} examples"
        yield Finding("look", f"{text}: the 95 % interval is {low:.1%} to {high:.1%} (Wilson 1927).")
    most = max(row["rows"] for row in report["classes"]) / max(1, total)
    if accuracy <= most + 0.01 and len([row for row in report["classes"] if row["rows"]]) > 1:
        text = f"The accuracy of `{name}` is {accuracy:.1%}; always predicting the most frequent class has {most:.1%}"
        yield Finding("bad", f"{text}: the model has learned almost nothing.")
    nearest = report.get("baselines", {}).get("nearest_neighbors", {})
    if nearest.get("accuracy", 0) > high:
        text = f"The accuracy of `{name}` is {accuracy:.1%}; {nearest['neighbors']} nearest neighbors of the inputs have"
        yield Finding("bad", f"{text} {nearest['accuracy']:.1%}: the model uses less of the data than it could.")
    weak = [row for row in report["classes"] if row["rows"] and row["recall"] < 0.5]
    if weak and len(weak) < len(report["classes"]):
        shown = ", ".join(f"`{row['class']}` ({row['recall']:.0%} of {row['rows']:,})" for row in weak[:8])
        yield Finding("bad", f"Classes of `{name}` with a recall below 50 %: {shown}{' …' if len(weak) > 8 else ''}.")
    yield from _confidence(name, report["calibration"])


def _imbalance(name: str, report: dict[str, Any], counted: ClassPredictions) -> Iterator[Finding]:
    names = [row["class"] for row in report["classes"]]
    counts = np.bincount(counted.true, minlength=len(names))[: len(names)]
    absent = [str(n) for n, count in zip(names, counts, strict=True) if not count]
    if absent:
        yield Finding("look", f"The data of `{name}` have no example of {', '.join(f'`{n}`' for n in absent[:8])}.")
    present = counts[counts > 0]
    if len(present) > 1 and present.max() >= 5 * present.min():
        few, many = names[int(np.where(counts > 0, counts, counts.max() + 1).argmin())], names[int(counts.argmax())]
        ratio = present.max() / present.min()
        text = f"The classes of `{name}` are imbalanced: `{many}` occurs {ratio:.0f} times as often as `{few}`"
        yield Finding("look", f"{text}. Check recall and F1 of each class, and consider `class_weight: balanced`.")


def _confidence(name: str, calibration: dict[str, Any] | None) -> Iterator[Finding]:
    if calibration is None or calibration["expected_error"] < 0.05:
        return
    error, gap = calibration["expected_error"], calibration["gap"]
    how = "overconfident" if gap > 0.02 else "underconfident" if gap < -0.02 else "miscalibrated"
    yield Finding("look", f"`{name}` is {how}: the calibration error is {error:.1%}. Do not use its outputs as probabilities.")


def _numbers(name: str, report: dict[str, Any]) -> Iterator[Finding]:
    if report["r2"] is not None and report["r2"] <= 0.05:
        yield Finding("bad", f"`{name}` is hardly better than always predicting the mean: R² is {report['r2']:.3f}.")
    compared, error = report.get("baselines", {}), report["mean_absolute_error"]
    for key, baseline in baseline_names(compared).items():
        if key != "mean" and compared[key]["mean_absolute_error"] < 0.95 * error:
            text = f"The mean absolute error of `{name}` is {error:.4g}; that of the baseline, {baseline}, is"
            yield Finding("bad", f"{text} {compared[key]['mean_absolute_error']:.4g}.")


def _biases(reports: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    """The outputs of numbers that are too high or too low on average, in one finding."""
    biased = {}
    for name, report in reports.items():
        mean, std = report["residuals"]["mean"], report["residuals"]["std"]
        if std > 0 and abs(mean) > 0.25 * std:
            biased[name] = f"{abs(mean):.4g} too {'high' if mean > 0 else 'low'}"
    if len(biased) == 1:
        [(name, bias)] = biased.items()
        yield Finding("look", f"`{name}` is biased: its predictions are {bias} on average.")
    elif biased:
        shown = ", ".join(f"`{name}` {bias}" for name, bias in biased.items())
        yield Finding("look", f"{len(biased)} outputs are biased, on average: {shown}.")


def _wilson(share: float, count: int) -> tuple[float, float]:
    z = 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return middle - half, middle + half


def _words(part: str) -> str:
    return {"train": "training"}.get(part, part)
