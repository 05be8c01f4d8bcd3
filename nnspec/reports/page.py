"""The report of a run as a self-contained HTML page."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnspec.diagnostics import NnspecError, SpecError
from nnspec.drawing import to_svg
from nnspec.files import write_whole
from nnspec.html_elements import Html, contents, element, fold, section
from nnspec.html_page import html_page
from nnspec.notebook import fragment
from nnspec.printable import html_text, on_one_line
from nnspec.reports.activation_maps import activation_maps
from nnspec.reports.attention_maps import attention_maps
from nnspec.reports.convolutions import convolutions
from nnspec.reports.detections import detection_findings, detections
from nnspec.reports.errors import errors
from nnspec.reports.facts import exported_facts, provenance, run_facts
from nnspec.reports.findings import Finding, findings, findings_section
from nnspec.reports.objectives import report_of
from nnspec.reports.results import learning_curves, metric_tables, results
from nnspec.spec.tree import Scalar
from nnspec.training.detection.details import DetectionDetails
from nnspec.training.evaluation.evaluate import Evaluation, baselines_of, run_evaluation
from nnspec.training.evaluation.report import report_of as report_of_output
from nnspec.training.evaluation.split_details import SplitDetails, split_details
from nnspec.training.run.files import DamagedRun
from nnspec.training.run.folder import Run

_TRAINING_EXAMPLES = 5_000
"""The most training examples to evaluate for comparison."""
_LARGEST_DRAWING = 1_500_000


@dataclass(frozen=True)
class Report:
    """A report that was written. It is a path: ``open(report)``.

    Attributes:
        path: The file.
        name: The name of the run.
        parts: What a notebook shows of it.
    """

    path: Path
    name: str
    parts: tuple[Html, ...] = field(default=(), repr=False)

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return on_one_line(f"<Report {self.path}: {self.name}>")

    def _repr_html_(self) -> str:
        file = element("p", "The whole page: ", element("code", str(self.path)), class_="note")
        return fragment(element("h2", f"{self.name}: report"), *self.parts, file)


def write_report(
    path: Run | str | Path,
    out: str | Path | None = None,
    *,
    data: Any = None,
    part: str | None = None,
    onnx: Path | None = None,
) -> Report:
    """Writes the report of a run; the run is not changed.

    Args:
        path: The run, or its folder.
        out: The file; by default next to the folder, with its name and ``.html``.
        data: Other data, as for [`evaluate`][nnspec.training.evaluation.evaluate.evaluate].
        part: The split to evaluate: `train`, `validation` or `test`; by default the first that exists of test, validation and
            train.
        onnx: The exported model to show; by default those in the run folder.

    Returns:
        The file, and its most important parts, which a notebook shows.

    Raises:
        NnspecError: If the run is damaged, or the file cannot be written.
    """
    run = Run.of(path).with_data(data)
    place = Path(out) if out is not None else run.path.resolve().with_name(f"{run.path.resolve().name}.html")
    sections, parts = _sections(run, part, onnx)
    return Report(write_whole(place, _page(run, sections)), run.name, parts)


def to_page(run: Run, *, part: str | None = None, onnx: Path | None = None) -> str:
    """Renders the page. It has no scripts, and escapes all names and values.

    Args:
        run: The run.
        part: As for [`write_report`][nnspec.reports.page.write_report].
        onnx: The same.

    Raises:
        NnspecError: If the run is damaged, or does not have the requested split.
    """
    return _page(run, _sections(run, part, onnx)[0])


def _page(run: Run, sections: list[Html]) -> str:
    return html_page(
        "nnspec.reports",
        f"{run.name}: report",
        name=html_text(run.name),
        summary=html_text(_description(run)),
        contents=contents(sections),
        sections="\n".join(sections),
        footer=html_text(f"{run.path.resolve().name} · written by nnspec {run.info['versions'].get('nnspec', '')}"),
    )


def _description(run: Run) -> str:
    predicted = run.spec.document.get("description")
    return str(predicted.value) if isinstance(predicted, Scalar) else f"A run of {run.info['spec'].get('file')}"


def _sections(run: Run, part: str | None, onnx: Path | None) -> tuple[list[Html], tuple[Html, ...]]:
    """The sections of the page, and the parts of them for a notebook."""
    run.weights()  # raises first if the run has no weights
    predicts, own = run.objective.predicts, report_of(run)
    found, why = _predicted(run, part) if predicts else (None, "")
    train, _ = _predicted(run, "train", _TRAINING_EXAMPLES) if found is not None and found.part != "train" else (None, "")
    reports = {name: report_of_output(scored, curves=True) for name, scored in found.predictions.items()} if found else {}
    for name, compared in baselines_of(run, found).items() if found else ():
        reports[name]["baselines"] = compared
    summary = section("Summary", run_facts(run, found.part if found else "", len(found.examples) if found else None))
    scored = [results(found, reports, train)] if found is not None else [_missing(why)] if predicts else []
    maps = [activation_maps(run, found), attention_maps(run, found)] if found is not None else []
    detailed = [(shows, each) for each in _detailed(run, part) if (shows := _SHOWS.get(type(each.details))) is not None]
    of_splits = [finding for (_, found_in), each in detailed for finding in found_in(each)]
    noted = findings_section([*of_splits, *findings(run, found, train, reports, own.findings())])
    curves = learning_curves(run)
    tables = metric_tables(found, reports, train) if found is not None else scored
    sections = [
        piece
        for piece in (
            summary,
            noted,
            curves,
            *scored,
            *own.sections(found),
            *(piece for (shown, _), each in detailed for piece in shown(each)),
            *([errors(found)] if found is not None else []),
            convolutions(run, found),
            *maps,
            _drawing(run),
            exported_facts(run, onnx),
            provenance(run),
        )
        if piece
    ]
    return sections, (summary, noted, fold("Learning curves", curves), fold("Results", *tables, opened=True))


def _predicted(run: Run, part: str | None, most: int | None = None) -> tuple[Evaluation | None, str]:
    """The predictions; None, and why, if the data no longer exist and were not asked for by name."""
    try:
        return run_evaluation(run, part=part, most=most), ""
    except NnspecError as error:
        if isinstance(error, DamagedRun) or (part is not None and most is None):
            raise
        if isinstance(error, SpecError):
            return None, "; ".join(diagnostic.message for diagnostic in error.diagnostics)
        return None, str(error)


_SHOWS: Mapping[type, tuple[Callable[[SplitDetails], list[Html]], Callable[[SplitDetails], Iterator[Finding]]]] = {
    DetectionDetails: (detections, detection_findings)
}
"""The sections and the findings for the details of a metric of a whole split."""


def _detailed(run: Run, part: str | None) -> list[SplitDetails]:
    """The details of metrics of a whole split; none if the data no longer exist and were not asked for by name."""
    try:
        return split_details(run, part=part)
    except NnspecError as error:
        if isinstance(error, DamagedRun) or part is not None:
            raise
        return []


def _missing(why: str) -> Html:
    return section("Results", element("p", f"The data cannot be read, so only the log is shown: {why}"))


def _drawing(run: Run) -> Html:
    drawing = to_svg(run.model)
    if len(drawing) > _LARGEST_DRAWING:
        return section("Graph", element("p", "The graph is too large for this page; `nnspec inspect --format html` shows it."))
    source = f"data:image/svg+xml;base64,{b64encode(drawing.encode()).decode()}"
    return section("Graph", element("img", src=source, alt=f"the graph of {run.name}", class_="graph"))
