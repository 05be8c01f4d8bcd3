"""The page of a comparison: curves over each other, metrics and differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.ticker import MaxNLocator

from nnspec.comparison.difference import as_text
from nnspec.files import write_whole
from nnspec.html_elements import Html, contents, element, figure, section, table
from nnspec.html_page import html_page
from nnspec.printable import html_text
from nnspec.reports import plots
from nnspec.run_comparison.compared_runs import ComparedRuns
from nnspec.training.run.curves import curve_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_CURVES = 24
_COLORS = ("#4269d0", "#ef7134", "#3ca951", "#a463f2", "#ff725c", "#6cc5b0", "#9c6b4e", "#97bbf5")


def write_comparison(compared: ComparedRuns, out: str | Path) -> Path:
    """Write the page of a comparison: curves over each other, metrics and differences.

    Raises:
        NnspecError: If the file cannot be written, or a log is damaged.
    """
    sections = list(_sections(compared))
    page = html_page(
        "nnspec.reports",
        "Comparison of runs",
        name="Comparison of runs",
        summary=html_text(", ".join(compared.names)),
        contents=contents(sections),
        sections="\n".join(sections),
        footer="written by nnspec compare",
    )
    return write_whole(Path(out), page)


def _sections(compared: ComparedRuns) -> Iterator[Html]:
    columns = range(1, len(compared.runs) + 1)
    note = element("p", "Metrics of the epoch whose weights are kept.", class_="note")
    yield section("Metrics", note, table(["", *compared.names], compared.metric_rows, numbers=columns))
    yield section("Learning curves", element("div", *_curves(compared), class_="plots"))
    for name, difference in zip(compared.names[1:], compared.differences, strict=True):
        yield section(f"From {compared.names[0]} to {name}", element("pre", as_text(difference), tabindex=0))
    if compared.conditions:
        yield section("Other differences", table(["", *compared.names], compared.condition_rows))


def _curves(compared: ComparedRuns) -> Iterator[Html]:
    logs = [run.metrics() for run in compared.runs]
    metrics = dict.fromkeys(name for records in logs if records for name in curve_names(records))
    for name in list(metrics)[:_MOST_CURVES]:
        draw = partial(_draw, name=name, logs=logs, names=compared.names)
        yield figure(plots.plot(draw, f"{name} of each run over the epochs"))


def _draw(axes: Axes, name: str, logs: Sequence[list[dict[str, Any]]], names: Sequence[str]) -> None:
    """Plot a metric of several runs: training as a line, validation dashed, each run in its color."""
    for place, (label, records) in enumerate(zip(names, logs, strict=True)):
        color = _COLORS[place % len(_COLORS)]
        for key, style in ((name, "-"), (f"val_{name}", "--")):
            points = [(record["epoch"], record[key]) for record in records or () if key in record]
            if points:
                axes.plot(
                    *zip(*points, strict=True), style, color=color, label=label if key == name else f"{label}, validation"
                )
    axes.set_title(name.replace("_", " "), fontsize=10)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(fontsize=7, frameon=False)
