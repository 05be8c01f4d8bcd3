"""Absolute positions of a laid-out network: boxes, frames and wire paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from nnspec.drawing.layout import Layout, Run
from nnspec.drawing.measure import BOX_HEIGHT, STRAIGHT
from nnspec.drawing.tree import Box, Frame, Wire

_TALLEST = 1400.0
"""Height above which a drawing continues in a second column."""
_TURN = 14.0
_GUTTER = 54.0
_TRACK = 6.0
"""Distance between parallel wires that continue in the next column."""
_MOST_TRACKS = 8
"""Maximum number of tensors that may cross a cut between columns."""


@dataclass(frozen=True)
class Placed:
    """A box or frame with its position."""

    item: Box | Frame
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Scene:
    """All positions; frames come before their contents.

    Attributes:
        items: Boxes and frames.
        lines: SVG path of each wire.
        width: Total width.
        height: Total height.
    """

    items: tuple[Placed, ...]
    lines: Mapping[Wire, str]
    width: float
    height: float


@dataclass(frozen=True)
class _Row:
    top: float
    bottom: float


@dataclass
class _Column:
    """Rows of the outermost frame in one column; long networks use several."""

    rows: range
    x: float
    right: float
    tracks: dict[tuple[str, str], int]
    bottom: float = 0.0


def place_on_plane(layout: Layout, ways: Mapping[Wire, Sequence[Run]]) -> Scene:
    """Position every box, frame and wire; a tall network is split into columns."""
    columns = _columns(layout)
    items: list[Placed] = []
    rows: dict[tuple[int, int], _Row] = {}
    lefts: dict[int, float] = {}
    column_of = {row: number for number, column in enumerate(columns) for row in column.rows}
    most = max(len(column.tracks) for column in columns)
    for column in columns:
        y = _TURN + _TRACK * most if len(columns) > 1 else 0.0
        for number in column.rows:
            y += 0.0 if number == column.rows[0] else layout.gaps[number]
            rows[id(layout), number] = _Row(y, y + layout.heights[number])
            for cell in layout.rows[number]:
                if cell.child is not None:
                    _put(layout, cell.child, column.x, rows[id(layout), number], items, rows, lefts)
            y += layout.heights[number]
        column.bottom = y
    placed = {id(item.item): item for item in items}

    def vertical(run: Run) -> _Vertical:
        row = rows[id(run.layout), run.row]
        at = column_of[run.row] if run.layout is layout else -1
        x = run.x + (columns[at].x if run.layout is layout else lefts[id(run.layout)])
        start, end = (row.bottom, row.top) if run.up else (row.top, row.bottom)
        if run.child is not None:
            item = placed[id(run.layout.frame.children[run.child])]
            if run.enters:
                end = item.y + item.height if run.up else item.y
            else:
                start = item.y if run.up else item.y + item.height
        return _Vertical(x, start, end, at, run.up, run.across)

    lines = {wire: _line([vertical(run) for run in way], (wire.source, wire.output), columns) for wire, way in ways.items()}
    foot = 2 * _TURN + _TRACK * most if len(columns) > 1 else 0.0
    height = max(column.bottom for column in columns) + foot
    return Scene(tuple(items), lines, columns[-1].right, height)


def _put(
    layout: Layout,
    child: str,
    left: float,
    row: _Row,
    items: list[Placed],
    rows: dict[tuple[int, int], _Row],
    lefts: dict[int, float],
) -> None:
    item, width, height = layout.frame.children[child], layout.width_of(child), layout.height_of(child)
    x = left + layout.cells[child].x - width / 2
    y = row.top + (row.bottom - row.top - height) / 2
    items.append(Placed(item, x, y, width, height if isinstance(item, Frame) else BOX_HEIGHT))
    if child not in layout.inner:
        return
    inner = layout.inner[child]
    lefts[id(inner)] = x
    for number, cells in enumerate(inner.rows):
        y += inner.gaps[number]
        rows[id(inner), number] = _Row(y, y + inner.heights[number])
        for cell in cells:
            if cell.child is not None:
                _put(inner, cell.child, x, rows[id(inner), number], items, rows, lefts)
        y += inner.heights[number]


def _columns(layout: Layout) -> list[_Column]:
    """Split into columns of similar height where few tensors cross, so that width and height are similar."""
    last = len(layout.rows) - 1  # The first and last row of a network are always empty.
    is_long = layout.height > _TALLEST and layout.fold is None
    wanted = round(sqrt(0.9 * layout.height / (layout.width + _GUTTER))) if is_long else 1
    target = layout.height / max(wanted, 1)
    columns: list[_Column] = []
    start, left_edge = 1, 0.0
    while start < last:
        end = _cut(layout, start, last, target)
        tracks = _crossing(layout, end - 1)
        left, right = _sides(layout, range(start, end))
        columns.append(_Column(range(start, end), left_edge - left, left_edge + right - left, tracks))
        left_edge += right - left + _GUTTER + _TRACK * len(tracks)
        start = end
    return columns


def _cut(layout: Layout, start: int, last: int, target: float) -> int:
    """Return the row before which the column that starts at ``start`` ends."""
    height, end = 0.0, start
    ends: list[tuple[float, int]] = []
    while end < last:
        height += layout.heights[end] + (layout.gaps[end] if end > start else 0.0)
        end += 1
        if ends and height > 1.25 * target:
            break
        tracks = len(_crossing(layout, end - 1))
        if end < last and height > 0.5 * target and tracks <= _MOST_TRACKS:
            ends.append((abs(height - target) / target + 0.15 * max(0, tracks - 1), end))
    else:
        return last
    return min(ends)[1]


def _crossing(layout: Layout, row: int) -> dict[tuple[str, str], int]:
    """Return the tensors that continue below a row, from the right, each with a track; in this order, none cross."""
    tensors = dict.fromkeys(tensor for cell in reversed(layout.rows[row]) for _, tensor in cell.below)
    return {tensor: track for track, tensor in enumerate(tensors)}


def _sides(layout: Layout, rows: range) -> tuple[float, float]:
    cells = [cell for row in rows for cell in layout.rows[row]]
    halves = [layout.width_of(cell.child) / 2 if cell.child is not None else 0.0 for cell in cells]
    pairs = list(zip(cells, halves, strict=True))
    return min(cell.x - half for cell, half in pairs), max(cell.x + half for cell, half in pairs)


def _turn(columns: Sequence[_Column], start: _Vertical, end: _Vertical, tensor: tuple[str, str]) -> str:
    """Return the path from the bottom of a column to the gutter, up, and down into the next column."""
    column = columns[start.column]
    aside = _TRACK * column.tracks[tensor]
    foot = max(other.bottom for other in columns) + _TURN + aside
    gutter = column.right + _GUTTER / 2 + aside
    head = 4 + aside
    return _rounded([(start.x, foot), (gutter, foot), (gutter, head), (end.x, head)], down_to=end.start)


def _rounded(corners: Sequence[tuple[float, float]], *, down_to: float, radius: float = 8.0) -> str:
    """Return a path along corners, starting downward, with rounded corners."""
    path = ""
    for number, (x, y) in enumerate(corners):
        (next_x, next_y) = corners[number + 1] if number + 1 < len(corners) else (x, down_to)
        before_y = corners[number - 1][1] if number else y - radius
        before_x = corners[number - 1][0] if number else x
        enter = (x - _toward(before_x, x, radius), y - _toward(before_y, y, radius))
        leave = (x + _toward(x, next_x, radius), y + _toward(y, next_y, radius))
        path += f" L{enter[0]:g},{enter[1]:g} Q{x:g},{y:g} {leave[0]:g},{leave[1]:g}"
    return path


def _toward(start: float, end: float, step: float) -> float:
    return 0.0 if start == end else min(step, abs(end - start)) * (1 if end > start else -1)


@dataclass(frozen=True)
class _Vertical:
    """A vertical segment; ``start`` is below ``end`` if it goes up."""

    x: float
    start: float
    end: float
    column: int
    up: bool
    across: float


def _line(verticals: Sequence[_Vertical], tensor: tuple[str, str], columns: Sequence[_Column]) -> str:
    """Return a path that is straight next to boxes and curved between rows."""
    first, *rest = verticals
    path, before = f"M{first.x:g},{first.start:g}", first
    at = first.end
    for run in rest:
        if run.across:
            path += f" V{at:g}" + _crossing_path(before.x, run.x, at, run.across)
        elif run.column > before.column >= 0:
            path += f" V{at:g}" + _turn(columns, before, run, tensor)
        elif abs(run.x - before.x) > 0.2:
            half = (at + run.start) / 2
            end = min(run.start + STRAIGHT, half) if run.up else max(run.start - STRAIGHT, half)
            middle = (at + end) / 2
            path += f" V{at:g} C{before.x:g},{middle:g} {run.x:g},{middle:g} {run.x:g},{end:g}"
        before, at = run, run.end
    return f"{path} V{at:g}"


def _crossing_path(left: float, right: float, y: float, depth: float) -> str:
    """Return the path from the left arm to the right one, below a row."""
    radius, floor = min(8.0, depth), y + depth
    return (
        f" V{floor - radius:g} Q{left:g},{floor:g} {left + radius:g},{floor:g} L{right - radius:g},{floor:g}"
        f" Q{right:g},{floor:g} {right:g},{floor - radius:g}"
    )
