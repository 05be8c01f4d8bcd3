"""The page of a sweep: importance, parallel coordinates, learning curves and all trials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from nnspec.html_elements import Html, element, figure, section, table
from nnspec.html_page import html_page
from nnspec.printable import html_text, number
from nnspec.reports import plots
from nnspec.sweeping.check import setting
from nnspec.sweeping.parallel_coordinates import parallel_coordinates, short_names, ticks
from nnspec.sweeping.section import Range
from nnspec.sweeping.trials import Sweep, Trial, ranked

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BEST, _OTHER, _PRUNED = "#4269d0", "#8a93a3", "#ef7134"
_MOST_CURVES = 200
_MOST_SCATTERS = 12
_LOG_RATIO = 50


def sweep_page(found: Sweep, name: str, over: Mapping[str, Range]) -> str:
    """Return the page of a sweep, which contains all that it shows.

    Args:
        found: The sweep.
        name: The name of the spec.
        over: The ranges.
    """
    best = found.best
    summary = f"{len(found.trials)} of {found.wanted} trials, by {found.monitor.name}"
    if best is not None:
        summary += f"; best {number(best.value)} in trial {best.number}"
    return html_page(
        "nnspec.reports",
        f"Sweep of {name}",
        name=html_text(f"Sweep of {name}"),
        summary=html_text(summary),
        contents="",
        sections="\n".join(_sections(found, over)),
        footer="written by nnspec sweep",
    )


def _sections(found: Sweep, over: Mapping[str, Range]) -> Iterator[Html]:
    names = short_names(list(over))
    yield section("Best trial", *_best(found))
    yield section("Importance", *_importance(found))
    note = (
        "A line for each trial, the best in blue, the worst in orange, pruned ones dashed. The top of the last axis is better."
    )
    drawn = parallel_coordinates(found, over)
    yield section("Parallel coordinates", element("p", note, class_="note") if drawn else Html(), drawn)
    yield section("Learning curves", *_curves(found))
    scatters = list(_scatters(found, over, names))
    yield section("Metric by value", element("div", *scatters, class_="plots") if scatters else Html())
    yield section("Trials", _table(found, over, names))


def _best(found: Sweep) -> Iterator[Html]:
    states = [trial.state for trial in found.trials]
    counts = [(f"{state} trials", states.count(state)) for state in ("finished", "pruned", "failed") if state in states]
    again = sum(trial.attempts > 1 for trial in found.trials)
    facts: list[tuple[str, object]] = [*counts, *([("tried again after an interruption", again)] if again else [])]
    best = found.best
    if best is not None:
        facts = [(found.monitor.name, number(best.value)), ("trial", best.number), ("epochs", best.epochs), *facts]
    terms = (element("div", element("dt", term), element("dd", str(value))) for term, value in facts)
    if facts:
        yield element("dl", *terms, class_="facts")
    if best is not None:
        yield element("pre", " \\\n  ".join(["nnspec train SPEC", *(f"--set '{one}'" for one in best.settings)]), tabindex=0)


def _importance(found: Sweep) -> Iterator[Html]:
    if not found.shares:
        return
    yield element("p", "The share of the metric's variance that each value explains (functional ANOVA).", class_="note")
    rows = []
    for path, share in found.shares.items():
        bar = element("rect", width=f"{max(0.5, 100 * share):.1f}%", height=12, rx=2, fill=_BEST)
        drawn = element("svg", bar, width=260, height=12, role="img", aria_label=f"{share:.0%}")
        rows.append([path, f"{share:.0%}", drawn])
    yield table(["value", "share", "of the variance"], rows, numbers=[1])


def _curves(found: Sweep) -> Iterator[Html]:
    trials = [trial for trial in ranked(found) if trial.metrics][:_MOST_CURVES]
    if trials:
        label = f"{found.monitor.name} of {len(trials)} trials over the epochs"
        drawn = plots.plot(partial(_draw_curves, name=found.monitor.name, trials=trials), label, width=9.6, height=4)
        yield element("div", drawn, class_="wide", tabindex=0, role="group", aria_label="learning curves")


def _draw_curves(axes: Axes, name: str, trials: list[Trial]) -> None:
    shown = set()
    for rank, trial in reversed(list(enumerate(trials))):
        kind = "best" if rank == 0 else "pruned" if trial.state == "pruned" else "others"
        color = {"best": _BEST, "pruned": _PRUNED, "others": _OTHER}[kind]
        axes.plot(
            *zip(*sorted(trial.metrics.items()), strict=True),
            "-" if kind != "pruned" else "--",
            marker="o" if len(trial.metrics) == 1 else None,
            markersize=3,
            color=color,
            linewidth=2 if rank == 0 else 0.9,
            alpha=1 if rank == 0 else 0.6,
            label=None if kind in shown else f"trial {trial.number}, the best" if rank == 0 else kind,
        )
        shown.add(kind)
    values = [value for trial in trials for value in trial.metrics.values()]
    _scale(axes, "y", values)
    axes.set(xlabel="epoch", ylabel=name)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(fontsize=8, frameon=False)


def _scatters(found: Sweep, over: Mapping[str, Range], names: Mapping[str, str]) -> Iterator[Html]:
    trials = [trial for trial in ranked(found) if trial.value is not None and trial.values]
    if len(trials) < 2:
        return
    for path in [*found.shares, *(path for path in over if path not in found.shares)][:_MOST_SCATTERS]:
        draw = partial(_draw_scatter, found=found, trials=trials, path=path, range_=over[path])
        yield figure(plots.plot(draw, f"{found.monitor.name} by {path}"), names[path])


def _draw_scatter(axes: Axes, found: Sweep, trials: list[Trial], path: str, range_: Range) -> None:
    choices = None if range_.choice is None else list(range_.choice)
    for kind, color in (("finished", _BEST), ("pruned", _PRUNED)):
        own = [trial for trial in trials if trial.state == kind]
        x = [choices.index(trial.values[path]) if choices is not None else trial.values[path] for trial in own]
        if own:
            axes.plot(
                x,
                [trial.value or 0.0 for trial in own],
                "o",
                color=color,
                markersize=4,
                alpha=0.7,
                markeredgewidth=0,
                label=kind,
            )
    values = [float(trial.value or 0.0) for trial in trials]
    if choices is not None:
        axes.set_xticks(range(len(choices)), [setting("", choice)[1:][:14] for choice in choices], fontsize=8)
    elif range_.log:
        _scale_log(axes, "x")
        at, labels = zip(*ticks(range_), strict=True)
        axes.set_xticks(at, labels)
    _scale(axes, "y", values)
    axes.set(ylabel=found.monitor.name)
    if any(trial.state == "pruned" for trial in trials):
        axes.legend(fontsize=7, frameon=False)


def _scale(axes: Axes, which: str, values: list[float]) -> None:
    """Use a logarithmic scale for values of very different sizes, as of losses."""
    if min(values) > 0 and max(values) / min(values) > _LOG_RATIO:
        _scale_log(axes, which)


def _scale_log(axes: Axes, which: str) -> None:
    axes.set(**{f"{which}scale": "log"})
    axis = {"x": axes.xaxis, "y": axes.yaxis}[which]
    # Matplotlib's own labels are formulas, which the plots do not have.
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axis.set_minor_formatter(NullFormatter())


def _table(found: Sweep, over: Mapping[str, Range], names: Mapping[str, str]) -> Html:
    hosts = {trial.host for trial in found.trials}
    header = ["trial", found.monitor.name, "state", "epochs", *names.values(), "run", *(["machine"] if len(hosts) > 1 else [])]
    rows = [
        [
            trial.number,
            number(trial.value),
            f"{trial.state}: {trial.reason}" if trial.reason else trial.state,
            trial.epochs,
            *(_value(trial, path) for path in over),
            trial.run,
            *([trial.host] if len(hosts) > 1 else []),
        ]
        for trial in ranked(found)
    ]
    numeric = [0, 1, 3, *(4 + i for i, range_ in enumerate(over.values()) if range_.choice is None)]
    return table(header, rows, numbers=numeric) if rows else Html()


def _value(trial: Trial, path: str) -> str:
    if path not in trial.values:
        return "–"
    value = trial.values[path]
    return number(value) if isinstance(value, float) else setting("", value)[1:]
