"""What may be wrong with a run, said plainly: each finding with the metrics it rests on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from nnspec.layers.normalization import BatchNormalization
from nnspec.printable import html_text
from nnspec.reports.elements import Html, element, section
from nnspec.reports.objectives import report_of
from nnspec.training.evaluation.evaluate import Evaluation
from nnspec.training.evaluation.predictions import ClassPredictions
from nnspec.training.run.folder import Run

__all__ = ["Finding", "findings", "findings_section"]


@dataclass(frozen=True)
class Finding:
    """One thing worth attention at.

    Attributes:
        level: How bad it is.
        text: What it is, and what to do.
    """

    level: Literal["bad", "look", "good"]
    text: str


def findings(run: Run, found: Evaluation | None, train: Evaluation | None, reports: dict[str, dict[str, Any]]) -> list[Finding]:
    """All that there is to say of a run.

    Args:
        run: The run.
        found: Its answers to the data it is predictions by; None if they are not there.
        train: Its answers to what it was trained on, or a part of it.
        reports: The metrics of each output of `found`.
    """
    predicted = [*_ending(run), *report_of(run.objective).findings(run)]
    if found is not None:
        if found.part != "test":
            which = "the data it was trained on" if found.part == "train" else "validation data, which chose the weights"
            predicted.append(Finding("look", f"The metrics are of {which}: they flatter. Name test data in the spec."))
        if train is not None and found.part != "train":
            said += [*_gap(found, train), *_unsettled(run, train)]
        for name, report in reports.items():
            predictions = found.predictions[name]
            if isinstance(predictions, ClassPredictions):
                said += _classes(name, report, predictions, train.predictions.get(name) if train else None)
            else:
                said += _numbers(name, report)
    said += [Finding("look", str(warning.get("message"))) for warning in run.info.get("warnings", [])]
    return said


def findings_section(predicted: list[Finding]) -> Html:
    """The findings as a part of the page, the worst first."""
    order = {"bad": 0, "look": 1, "good": 2}
    if not any(finding.level != "good" for finding in predicted):
        predicted = [*predicted, Finding("good", "Nothing stands out. That is no proof that all is well.")]
    items = (
        element("li", _marked(finding.text), class_=finding.level)
        for finding in sorted(predicted, key=lambda f: order[f.level])
    )
    return section("What to look at", element("ul", *items, class_="findings"))


def _marked(text: str) -> Html:
    """A text with what stands between backticks as code."""
    pieces = text.split("`")
    return Html("".join(element("code", piece) if i % 2 else html_text(piece) for i, piece in enumerate(pieces)))


def _ending(run: Run) -> Iterator[Finding]:
    if run.status in ("running", "interrupted", "failed"):
        reason = f": {run.info['reason']}" if run.info.get("reason") else ""
        yield Finding("bad", f"The training did not come to its end ({run.status}{reason}).")


def _gap(found: Evaluation, train: Evaluation) -> Iterator[Finding]:
    """Overfitting: what is much better on the examples that were trained on."""
    for name, predictions in found.predictions.items():
        before = train.predictions.get(name)
        if not isinstance(predictions, ClassPredictions) or not isinstance(before, ClassPredictions):
            continue
        here, there = (float((j.true == j.predicted).mean()) for j in (predictions, before))
        # Two standard errors of the difference of two shares: less may be chance.
        chance = 2 * math.sqrt(sum(p * (1 - p) / len(j.true) for p, j in ((here, predictions), (there, before))))
        if there - here > max(0.02, chance):
            text = f"`{name}` is right for {there:.1%} of the training examples and {here:.1%} of the {_words(found.part)} ones"
            yield Finding("bad" if there - here > 0.1 else "look", f"{text}: it overfits. {_AGAINST}")
    losses = float(train.metrics["loss"]), float(found.metrics["loss"])
    if losses[0] > 0 and losses[1] > 2 * losses[0]:
        text = f"The loss is {losses[0]:.4g} on training and {losses[1]:.4g} on {_words(found.part)} examples"
        yield Finding(
            "look", f"{text}, {losses[1] / losses[0]:.1f} times as much: it overfits, or those data are of another kind."
        )


def _unsettled(run: Run, train: Evaluation) -> Iterator[Finding]:
    """Batch normalization whose averages lag behind: it serves by them, and trains by each batch's own."""
    logged = ((run.info.get("best") or {}).get("figures") or {}).get("loss")
    normal = [node.name for node in train.plan.graph.nodes.values() if isinstance(node.layer, BatchNormalization)]
    served = float(train.metrics["loss"])
    if normal and isinstance(logged, float) and served > 2 * logged > 0:
        text = f"On the training examples the loss was {logged:.4g} while it trained and is {served:.4g} as it answers"
        yield Finding("look", f"{text}: the averages of `{normal[0]}` lag behind. More epochs, or a lower `momentum`, help.")


_AGAINST = "More data, augmentation, dropout, weight decay or a smaller net work against it."


def _classes(name: str, report: dict[str, Any], predictions: ClassPredictions, train: Any) -> Iterator[Finding]:
    yield from _imbalance(name, report, train if isinstance(train, ClassPredictions) else predictions)
    total, accuracy = len(predictions.true), report["accuracy"]
    low, high = _wilson(accuracy, total)
    if predictions.each == 1 and high - low > 0.05:
        text = f"{total:,} examples are few: `{name}`'s accuracy of {accuracy:.1%} may as well be {low:.1%} or {high:.1%}"
        yield Finding("look", f"{text} (95 % interval, Wilson 1927).")
    most = max(row["rows"] for row in report["classes"]) / max(1, total)
    if accuracy <= most + 0.01 and len([row for row in report["classes"] if row["rows"]]) > 1:
        text = f"`{name}` is right for {accuracy:.1%}; always saying the commonest class is right for {most:.1%}"
        yield Finding("bad", f"{text}: it has learned next to nothing.")
    weak = [row for row in report["classes"] if row["rows"] and row["recall"] < 0.5]
    if weak and len(weak) < len(report["classes"]):
        shown = ", ".join(f"`{row['class']}` ({row['recall']:.0%} of {row['rows']:,})" for row in weak[:8])
        yield Finding("bad", f"More than half of these classes of `{name}` are missed: {shown}{' …' if len(weak) > 8 else ''}.")
    yield from _confidence(name, report["calibration"])


def _imbalance(name: str, report: dict[str, Any], counted: ClassPredictions) -> Iterator[Finding]:
    names = [row["class"] for row in report["classes"]]
    counts = np.bincount(counted.true, minlength=len(names))[: len(names)]
    absent = [str(n) for n, count in zip(names, counts, strict=True) if not count]
    if absent:
        yield Finding("look", f"No example of {', '.join(f'`{n}`' for n in absent[:8])} was seen for `{name}`.")
    there = counts[counts > 0]
    if len(there) > 1 and there.max() >= 5 * there.min():
        few, many = names[int(np.where(counts > 0, counts, counts.max() + 1).argmin())], names[int(counts.argmax())]
        text = f"The classes of `{name}` are uneven: `{many}` is {there.max() / there.min():.0f} times as common as `{few}`"
        yield Finding("look", f"{text}. Read recall and F1 by class before accuracy; `class_weight: balanced` evens it out.")


def _confidence(name: str, calibration: dict[str, Any] | None) -> Iterator[Finding]:
    if calibration is None or calibration["expected_error"] < 0.05:
        return
    error, gap = calibration["expected_error"], calibration["gap"]
    way = "too sure of itself" if gap > 0.02 else "less sure than it may be" if gap < -0.02 else "wrong about how sure it is"
    yield Finding("look", f"`{name}` is {way}: confidence and accuracy are {error:.1%} apart. Do not read it as a probability.")


def _numbers(name: str, report: dict[str, Any]) -> Iterator[Finding]:
    if report["r2"] is not None and report["r2"] <= 0.05:
        yield Finding("bad", f"`{name}` is hardly better than always saying the mean: R² is {report['r2']:.3f}.")
    mean, std = report["residuals"]["mean"], report["residuals"]["std"]
    if std > 0 and abs(mean) > 0.25 * std:
        yield Finding("look", f"`{name}` is {abs(mean):.4g} too {'high' if mean > 0 else 'low'} on average: it is biased.")


def _wilson(share: float, count: int) -> tuple[float, float]:
    z = 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return middle - half, middle + half


def _words(part: str) -> str:
    return {"train": "training"}.get(part, part)
