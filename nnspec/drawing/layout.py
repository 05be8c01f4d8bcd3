"""Layered layout of nested frames: each frame is laid out separately and is one box in the enclosing frame.

Horizontal positions are fixed. Vertical positions depend on which frames are open, so that the page can close a frame by
stacking the rows again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nnspec.drawing.folding import Fold, arms_of, fold_of
from nnspec.drawing.measure import BOX_HEIGHT, LANE, LANE_GAP, PADDING, ROW_GAP, SIDE_GAP, TITLE, text_width
from nnspec.drawing.place import place
from nnspec.drawing.rows import Cell, Net, Rows, reduce_crossings, rows_of
from nnspec.drawing.tree import Box, Frame, Tensor, Wire, frames_of

_BETWEEN_ARMS = 64.0
_TRACK = 8.0
"""Distance of a wire between the arms from the row above it, and from the next one."""


@dataclass(eq=False)
class Layout:
    """The layout of one frame.

    Attributes:
        frame: Frame.
        rows: Its cells; ``x`` is relative to the left side of the frame.
        gaps: Free space above each row.
        heights: Height of each row with everything open.
        width: Width of the frame.
        cells: Cell of each child.
        inner: Layouts of nested frames.
        ports: Horizontal offset at which a tensor meets a child, at its top (True) or bottom (False).
        ends: Horizontal positions at which tensors enter the frame (True) and leave it (False).
        up: Whether tensors enter it below and leave it above.
        fold: The two arms of a network that goes down in resolution and up again; None if it has none.
        entries: The cell at which a tensor from the left arm enters the right arm.
        tracks: Where a tensor goes from the left arm to the right, below its row.
    """

    frame: Frame
    rows: Rows
    gaps: list[float] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)
    width: float = 0.0
    cells: dict[str, Cell] = field(default_factory=dict)
    inner: dict[str, Layout] = field(default_factory=dict)
    ports: dict[tuple[str, Tensor, bool], float] = field(default_factory=dict)
    ends: dict[tuple[Tensor, bool], float] = field(default_factory=dict)
    box_width: float = 0.0
    up: bool = False
    fold: Fold | None = None
    entries: dict[Tensor, Cell] = field(default_factory=dict)
    tracks: dict[Tensor, float] = field(default_factory=dict)

    def width_of(self, child: str) -> float:
        return self.inner[child].width if child in self.inner else self.box_width

    def height_of(self, child: str) -> float:
        return self.inner[child].height if child in self.inner else BOX_HEIGHT

    @property
    def height(self) -> float:
        return sum(self.gaps) + sum(self.heights)


@dataclass(frozen=True)
class Run:
    """A vertical segment of a wire: next to the boxes of a row, or between the row's edge and a child.

    Attributes:
        layout: Frame.
        row: Index of the row.
        x: Position relative to the left side of the frame.
        child: Child at which the segment starts or ends; None for a lane, which passes the row.
        enters: Whether it enters the child instead of leaving it.
        up: Whether it goes up: it enters a child below and leaves it above.
        across: For the first segment of the right arm, the distance of the wire from the left below the row; else 0.
    """

    layout: Layout
    row: int
    x: float
    child: str | None = None
    enters: bool = False
    up: bool = False
    across: float = 0.0


def lay_out(
    root: Frame, wires: Sequence[Wire], box_width: float, resolutions: Mapping[Tensor, float] | None = None
) -> tuple[Layout, dict[Wire, list[Run]]]:
    """Return the layout of a network and the segments of each wire, from its source to its target.

    Args:
        root: The network.
        wires: Its wires.
        box_width: The width of a box.
        resolutions: The resolution of each tensor that has one: a network that goes down and up again gets two arms.
    """
    around = ways_of(root)
    nets = {id(frame): Nets() for frame in frames_of(root)}
    for wire in wires:
        for leg in legs_of(around, wire):
            nets[id(leg.frame)].add((wire.source, wire.output), leg.source, leg.target)
    tensors = {key: found.nets() for key, found in nets.items()}
    fold = fold_of(root.children, tensors[id(root)], resolutions or {})
    layout = _arrange(root, tensors, box_width, fold=fold)
    layouts = {id(part.frame): part for part in _all(layout)}
    return layout, {w: [r for leg in legs_of(around, w) for r in _runs(layouts[id(leg.frame)], w, leg)] for w in wires}


def _arrange(
    frame: Frame, nets: Mapping[int, list[Net]], box_width: float, *, up: bool = False, fold: Fold | None = None
) -> Layout:
    inner = {
        key: _arrange(child, nets, box_width, up=up or (fold is not None and key in fold.right))
        for key, child in frame.children.items()
        if isinstance(child, Frame)
    }

    def lean(cell: Cell, tensor: Tensor, top: bool) -> float:
        part = inner.get(cell.child or "")
        return part.ends[tensor, top] / part.width - 0.5 if part is not None else 0.0

    layout = Layout(frame, [], inner=inner, box_width=box_width, up=up, fold=fold)
    # Rows are in the direction of the tensors until all cells are placed.
    arms: list[Rows]
    if fold is None:
        arms = [rows_of(frame.children, nets[id(frame)], lean)]
    else:
        *arms, layout.entries = arms_of(fold, nets[id(frame)])
        for arm in arms:
            reduce_crossings(arm, lean)
    layout.cells = {cell.child: cell for arm in arms for row in arm for cell in row if cell.child is not None}
    for arm in arms:
        _choose_ports(layout, arm)

    def width(cell: Cell) -> float:
        return LANE if cell.child is None else layout.width_of(cell.child)

    def port(cell: Cell, tensor: Tensor, top: bool) -> float:
        return 0.0 if cell.child is None else layout.ports[cell.child, tensor, top]

    for arm in arms:
        place(arm, width, port, _gap)
    ends = arms[0][0], arms[0][-1]
    if up or fold is not None:
        _turn_around(arms[-1])
    if fold is None:
        [layout.rows] = arms
    else:
        _join(arms[0], arms[1], width, fold.bottom)
        layout.rows = [[*left, *right] for left, right in zip(*arms, strict=True)]
        layout.tracks = _tracks(fold, nets[id(frame)])
    cells = [cell for row in layout.rows for cell in row]
    left = min(cell.x - width(cell) / 2 for cell in cells) - PADDING
    right = max(cell.x + width(cell) / 2 for cell in cells) + PADDING
    lacking = max(0.0, text_width(frame.label, 11, bold=True) + 3 * PADDING - (right - left)) if frame.id else 0.0
    for cell in cells:
        cell.x = round(cell.x - left + lacking / 2, 1)
    layout.width = round(right - left + lacking, 1)
    for row, enters in zip(ends, (True, False), strict=True):
        layout.ends |= {(cell.tensor, enters): cell.x for cell in row if cell.tensor}
    layout.gaps = _gaps(layout)
    layout.heights = [max((layout.height_of(c.child) for c in row if c.child is not None), default=0.0) for row in layout.rows]
    return layout


def _turn_around(rows: Rows) -> None:
    """Turn rows whose tensors go up into the order from top to bottom."""
    rows.reverse()
    for number, row in enumerate(rows):
        for cell in row:
            cell.row, cell.up = number, True


def _join(left: Rows, right: Rows, width: Callable[[Cell], float], bottom: range) -> None:
    """Put the right arm beside the left one, and the lowest resolution between them as far as there is room."""

    def sides(rows: Iterable[Sequence[Cell]]) -> tuple[float, float]:
        cells = [cell for row in rows for cell in row]
        return min(cell.x - width(cell) / 2 for cell in cells), max(cell.x + width(cell) / 2 for cell in cells)

    (start, end), (other_start, other_end) = sides(left), sides(right)
    for row in right:
        for cell in row:
            cell.x += end + _BETWEEN_ARMS - other_start
    lowest, beside = [left[row] for row in bottom], [right[row] for row in bottom]
    middle = (start + end + _BETWEEN_ARMS + (other_end - other_start)) / 2
    low_start, low_end = sides(lowest)
    room = sides(beside)[0] - SIDE_GAP - low_end if any(beside) else middle
    shift = max(0.0, min(middle - (low_start + low_end) / 2, room))
    for row in lowest:
        for cell in row:
            cell.x += shift


def _tracks(fold: Fold, nets: Sequence[Net]) -> dict[Tensor, float]:
    """How far below its row each tensor goes from the left arm to the right."""
    rows: dict[int, int] = {}
    tracks = {}
    for net in nets:
        if (row := fold.crossing(net)) is not None:
            rows[row] = rows.get(row, 0) + 1
            tracks[net.tensor] = _TRACK * (rows[row] + 0.5)
    return tracks


def _choose_ports(layout: Layout, rows: Rows) -> None:
    """Choose where tensors meet each child: a frame where they enter it, a box in its center, lanes next to that."""
    places = {id(cell): place for row in rows for place, cell in enumerate(row)}
    for child, cell in ((cell.child, cell) for row in rows for cell in row if cell.child is not None):
        for links, top in ((cell.above, True), (cell.below, False)):
            ordered = sorted(links, key=lambda link: (places[id(link[0])], link[1]))
            tensors = list(dict.fromkeys(tensor for _, tensor in ordered))
            if child in layout.inner:
                ends, middle = layout.inner[child].ends, layout.inner[child].width / 2
                layout.ports |= {(child, tensor, top): ends[tensor, top] - middle for tensor in tensors}
                continue
            direct = [tensors.index(tensor) for other, tensor in ordered if other.child is not None]
            centre = direct[0] if top and len(direct) == 1 else (len(tensors) - 1) / 2
            step = min(16.0, (layout.box_width - 30) / (2 * max(len(tensors), 1)))
            layout.ports |= {(child, tensor, top): (i - centre) * step for i, tensor in enumerate(tensors)}


def _gap(left: Cell, right: Cell) -> float:
    return LANE_GAP if left.child is None and right.child is None else SIDE_GAP


def _gaps(layout: Layout) -> list[float]:
    """Return the space above each row: more for wires that cross far, and for a title in the first row."""
    gaps = []
    for number, row in enumerate(layout.rows):
        over = layout.rows[number - 1] if number else []
        steps = [abs(cell.x - other.x) for cell in row if not cell.up for other, _ in cell.above]
        steps += [abs(cell.x - other.x) for cell in over if cell.up for other, _ in cell.above]
        gap = ROW_GAP + min(0.05 * max(steps, default=0.0), 40.0) if number else 0.0
        if number == 1:
            gap += TITLE - 6 if layout.frame.id else 0.0
        if number == len(layout.rows) - 1:
            gap -= ROW_GAP / 3
        if layout.fold is not None:
            gap += max((track for tensor, track in layout.tracks.items() if layout.entries[tensor].row == number), default=0.0)
        gaps.append(round(gap, 1))
    return gaps


def _all(layout: Layout) -> Iterator[Layout]:
    yield layout
    for inner in layout.inner.values():
        yield from _all(inner)


def _runs(layout: Layout, wire: Wire, leg: Leg) -> list[Run]:
    tensor = (wire.source, wire.output)
    if leg.source is None:
        first = layout.rows[-1 if layout.up else 0]
        cell = next(cell for cell in first if cell.tensor == tensor)
        runs = [Run(layout, cell.row, cell.x, up=cell.up)]
    else:
        cell = layout.cells[leg.source]
        runs = [Run(layout, cell.row, cell.x + layout.ports[leg.source, tensor, False], leg.source, up=cell.up)]
    goal = layout.cells[leg.target] if leg.target is not None else None
    across = 0.0
    while True:
        if goal is not None and goal.up and not cell.up and cell.row == layout.entries[tensor].row - 1:
            cell, across = layout.entries[tensor], layout.tracks[tensor]
        below = [other for other, passed in cell.below if passed == tensor]
        if goal is not None and goal in below:
            assert leg.target is not None
            x = goal.x + layout.ports[leg.target, tensor, True]
            return [*runs, Run(layout, goal.row, x, leg.target, enters=True, up=goal.up, across=across)]
        lanes = [other for other in below if other.child is None]
        if not lanes:
            return runs
        [cell] = lanes
        runs.append(Run(layout, cell.row, cell.x, up=cell.up, across=across))
        across = 0.0


@dataclass(frozen=True)
class Leg:
    """The part of a wire in one frame; an end is None if the wire enters or leaves the frame there."""

    frame: Frame
    source: str | None
    target: str | None


def ways_of(root: Frame) -> dict[str, list[tuple[Frame, str]]]:
    """Return the enclosing frames of each box, outermost first, each with the child that contains the box."""
    found: dict[str, list[tuple[Frame, str]]] = {}
    stack: list[tuple[Frame, list[tuple[Frame, str]]]] = [(root, [])]
    while stack:
        frame, way = stack.pop()
        for key, child in frame.children.items():
            here = [*way, (frame, key)]
            if isinstance(child, Box):
                found[child.id] = here
            else:
                stack.append((child, here))
    return found


def legs_of(around: Mapping[str, list[tuple[Frame, str]]], wire: Wire) -> list[Leg]:
    """Return the legs out of the source's frames, across the common frame, into the target's frames."""
    source, target = around[wire.source], around[wire.target]
    common = 0
    while source[common] == target[common]:
        common += 1
    out = [Leg(frame, key, None) for frame, key in reversed(source[common + 1 :])]
    across = Leg(source[common][0], source[common][1], target[common][1])
    return [*out, across, *(Leg(frame, None, key) for frame, key in target[common + 1 :])]


class Nets:
    """The tensors of one frame, collected wire by wire."""

    def __init__(self) -> None:
        self._source: dict[Tensor, str | None] = {}
        self._targets: dict[Tensor, dict[str, None]] = {}
        self._leaving: set[Tensor] = set()

    def add(self, tensor: Tensor, source: str | None, target: str | None) -> None:
        self._source[tensor] = source
        targets = self._targets.setdefault(tensor, {})
        if target is None:
            self._leaving.add(tensor)
        else:
            targets[target] = None

    def nets(self) -> list[Net]:
        return [Net(t, source, tuple(self._targets[t]), t in self._leaving) for t, source in self._source.items()]
