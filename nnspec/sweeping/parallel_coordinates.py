"""Parallel coordinates of the trials of a sweep, as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nnspec.html_elements import Html, element
from nnspec.printable import number
from nnspec.sweeping.check import setting
from nnspec.sweeping.section import Range
from nnspec.sweeping.trials import Sweep, Trial, ranked

_HEIGHT, _TOP, _BOTTOM, _SIDE = 320, 52, 16, 70
_WIDTH = 1070
"""The width of the page."""

_BETWEEN = (130, 260)
_BEST, _WORST = (66, 105, 208), (239, 113, 52)
_MOST_LINES = 500
_MOST_LABELS = 12
_LABEL = 18


@dataclass(frozen=True)
class _Axis:
    """One axis: its name, its labels by position, and the position of each trial's value, from 0 at the bottom to 1."""

    name: str
    labels: Sequence[tuple[float, str]]
    positions: Mapping[int, float]


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """Return the shortest end of each path that no other path has.

    Example:
        >>> short_names(["params.width", "train.optimizer.Adam.learning_rate"])
        {'params.width': 'width', 'train.optimizer.Adam.learning_rate': 'learning_rate'}
    """
    found = {}
    for path in paths:
        parts = path.split(".")
        ends = (".".join(parts[-count:]) for count in range(1, len(parts) + 1))
        found[path] = next((end for end in ends if sum(f".{other}".endswith(f".{end}") for other in paths) == 1), path)
    return found


def parallel_coordinates(found: Sweep, over: Mapping[str, Range]) -> Html:
    """Draw a line for each trial through its values and its metric, the best in blue; empty if there are fewer than two.

    Args:
        found: The sweep.
        over: The ranges.
    """
    trials = [trial for trial in ranked(found) if trial.value is not None and trial.values][:_MOST_LINES]
    if len(trials) < 2:
        return Html()
    names = short_names(list(over))
    axes = [_axis(names[path], path, range_, trials) for path, range_ in over.items()]
    axes.append(_metric_axis(found, trials))
    between = min(max((_WIDTH - 2 * _SIDE) // (len(axes) - 1), _BETWEEN[0]), _BETWEEN[1])
    width = 2 * _SIDE + between * (len(axes) - 1)
    places = [_SIDE + between * i for i in range(len(axes))]
    # The best are drawn last, over the others.
    lines = [_line(trial, rank / (len(trials) - 1), axes, places, names) for rank, trial in reversed(list(enumerate(trials)))]
    drawn = [piece for i, (axis, x) in enumerate(zip(axes, places, strict=True)) for piece in _draw_axis(axis, x, i)]
    label = f"parallel coordinates of {len(trials)} trials: {', '.join(axis.name for axis in axes)}"
    svg = element(
        "svg",
        element("g", *lines, class_="lines"),
        *drawn,
        viewBox=f"0 0 {width} {_HEIGHT}",
        width=width,
        height=_HEIGHT,
        role="img",
        aria_label=label,
    )
    return element("div", svg, class_="wide", tabindex=0, role="group", aria_label="parallel coordinates")


def _axis(name: str, path: str, range_: Range, trials: Sequence[Trial]) -> _Axis:
    if range_.choice is not None:
        choices = list(range_.choice)
        last = max(1, len(choices) - 1)
        step = -(-len(choices) // _MOST_LABELS)
        labels = [(i / last, setting("", choice)[1:]) for i, choice in enumerate(choices) if i % step == 0]
        return _Axis(name, labels, {trial.number: choices.index(trial.values[path]) / last for trial in trials})
    assert range_.limits is not None
    scale = math.log if range_.log else float
    bottom, top = (scale(float(end)) for end in range_.limits)
    labels = [((scale(value) - bottom) / (top - bottom), text) for value, text in ticks(range_)]
    return _Axis(name, labels, {trial.number: (scale(float(trial.values[path])) - bottom) / (top - bottom) for trial in trials})


def ticks(range_: Range) -> list[tuple[float, str]]:
    """The ends and the middle of a range of numbers, each with its label.

    Example:
        >>> ticks(Range(float=[0.001, 0.1], log=True))
        [(0.001, '0.001'), (0.01, '0.01'), (0.1, '0.1')]
    """
    assert range_.limits is not None
    low, high = (float(end) for end in range_.limits)
    middle = math.sqrt(low * high) if range_.log else (low + high) / 2
    rounded = [float(round(value)) if range_.int is not None else value for value in (low, middle, high)]
    return [(value, number(int(value) if range_.int is not None else value)) for value in dict.fromkeys(rounded)]


def _metric_axis(found: Sweep, trials: Sequence[Trial]) -> _Axis:
    """The axis of the metric, whose better end is at the top."""
    values = {trial.number: float(trial.value or 0.0) for trial in trials}
    low, high = min(values.values()), max(values.values())
    uses_log = low > 0 and high / low > 50
    scale = math.log if uses_log else float
    first, size = scale(low), (scale(high) - scale(low)) or 1.0
    sign = found.monitor.mode == "min"

    def position(value: float) -> float:
        at = (scale(value) - first) / size
        return 1 - at if sign else at

    middle = math.exp(first + size / 2) if uses_log else first + size / 2
    ends = [low, middle, high] if high > low else [low]
    return _Axis(
        found.monitor.name,
        [(position(value), number(value)) for value in ends],
        {which: position(value) for which, value in values.items()},
    )


def _line(trial: Trial, rank: float, axes: Sequence[_Axis], places: Sequence[int], names: Mapping[str, str]) -> Html:
    points = " ".join(f"{x},{_y(axis.positions[trial.number]):.1f}" for axis, x in zip(axes, places, strict=True))
    color = tuple(round(a + (b - a) * rank) for a, b in zip(_BEST, _WORST, strict=True))
    values = ", ".join(setting(names[path], value) for path, value in trial.values.items())
    title = element("title", f"trial {trial.number}: {number(trial.value)}, {values}, {trial.state}")
    return element(
        "polyline",
        title,
        points=points,
        fill="none",
        stroke=f"rgb{color}".replace(" ", ""),
        stroke_width=2.5 if rank == 0 else 1.3,
        stroke_opacity=f"{1 - 0.6 * rank:.2f}",
        stroke_dasharray="4 3" if trial.state == "pruned" else None,
    )


def _draw_axis(axis: _Axis, x: int, index: int) -> list[Html]:
    top, bottom = _y(1.0), _y(0.0)
    rule = element("line", x1=x, x2=x, y1=top, y2=bottom, stroke="var(--soft)", stroke_width=1)
    # Names of neighbors are on two rows, so that they do not overlap.
    name = element("text", _cut(axis.name, 2 * _LABEL), x=x, y=16 + 16 * (index % 2), text_anchor="middle", font_size=12)
    # With an outline in the color of the page, so that they can be read over the lines.
    halo = {"stroke": "var(--paper)", "stroke_width": 4, "paint_order": "stroke", "font_size": 11}
    labels = [element("text", _cut(text, _LABEL), x=x + 6, y=f"{_y(at) + 4:.1f}", **halo) for at, text in axis.labels]
    return [rule, name, *labels]


def _y(position: float) -> float:
    return _TOP + (1 - position) * (_HEIGHT - _TOP - _BOTTOM)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
