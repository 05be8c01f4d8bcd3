"""Layered layout of nested frames: each frame is laid out separately and is one box in the enclosing frame.

Horizontal positions are fixed. Vertical positions depend on which frames are open, so that the page can close a frame by
stacking the rows again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nnspec.drawing.measure import BOX_HEIGHT, LANE, LANE_GAP, PADDING, ROW_GAP, SIDE_GAP, TITLE, text_width
from nnspec.drawing.place import place
from nnspec.drawing.rows import Cell, Net, Rows, rows_of
from nnspec.drawing.tree import Box, Frame, Wire, frames_of

Tensor = tuple[str, str]


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
        ends: Horizontal positions at which tensors enter the frame's top (True) and leave its bottom (False).
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
        enters: Whether it enters the child from above instead of leaving it below.
    """

    layout: Layout
    row: int
    x: float
    child: str | None = None
    enters: bool = False


def lay_out(root: Frame, wires: Sequence[Wire], box_width: float) -> tuple[Layout, dict[Wire, list[Run]]]:
    """Return the layout of a network and the segments of each wire, from its source's bottom to its target's top."""
    around = ways_of(root)
    nets = {id(frame): Nets() for frame in frames_of(root)}
    for wire in wires:
        for leg in legs_of(around, wire):
            nets[id(leg.frame)].add((wire.source, wire.output), leg.source, leg.target)
    layout = _arrange(root, {key: found.nets() for key, found in nets.items()}, box_width)
    layouts = {id(part.frame): part for part in _all(layout)}
    return layout, {w: [r for leg in legs_of(around, w) for r in _runs(layouts[id(leg.frame)], w, leg)] for w in wires}


def _arrange(frame: Frame, nets: Mapping[int, list[Net]], box_width: float) -> Layout:
    inner = {key: _arrange(child, nets, box_width) for key, child in frame.children.items() if isinstance(child, Frame)}

    def lean(cell: Cell, tensor: Tensor, top: bool) -> float:
        part = inner.get(cell.child or "")
        return part.ends[tensor, top] / part.width - 0.5 if part is not None else 0.0

    layout = Layout(frame, rows_of(frame.children, nets[id(frame)], lean), inner=inner, box_width=box_width)
    layout.cells = {cell.child: cell for row in layout.rows for cell in row if cell.child is not None}
    _choose_ports(layout)

    def width(cell: Cell) -> float:
        return LANE if cell.child is None else layout.width_of(cell.child)

    def port(cell: Cell, tensor: Tensor, top: bool) -> float:
        return 0.0 if cell.child is None else layout.ports[cell.child, tensor, top]

    place(layout.rows, width, port, _gap)
    cells = [cell for row in layout.rows for cell in row]
    left = min(cell.x - width(cell) / 2 for cell in cells) - PADDING
    right = max(cell.x + width(cell) / 2 for cell in cells) + PADDING
    lacking = max(0.0, text_width(frame.label, 11, bold=True) + 3 * PADDING - (right - left)) if frame.id else 0.0
    for cell in cells:
        cell.x = round(cell.x - left + lacking / 2, 1)
    layout.width = round(right - left + lacking, 1)
    layout.ends |= {(cell.tensor, True): cell.x for cell in layout.rows[0] if cell.tensor}
    layout.ends |= {(cell.tensor, False): cell.x for cell in layout.rows[-1] if cell.tensor}
    layout.gaps = _gaps(layout)
    layout.heights = [max((layout.height_of(c.child) for c in row if c.child is not None), default=0.0) for row in layout.rows]
    return layout


def _choose_ports(layout: Layout) -> None:
    """Choose where tensors meet each child: a frame where they enter it, a box in its center, lanes next to that."""
    places = {id(cell): place for row in layout.rows for place, cell in enumerate(row)}
    for child, cell in layout.cells.items():
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
        far = max((abs(cell.x - other.x) for cell in row for other, _ in cell.above), default=0.0)
        gap = ROW_GAP + min(0.05 * far, 40.0) if number else 0.0
        if number == 1:
            gap += TITLE - 6 if layout.frame.id else 0.0
        if number == len(layout.rows) - 1:
            gap -= ROW_GAP / 3
        gaps.append(round(gap, 1))
    return gaps


def _all(layout: Layout) -> Iterator[Layout]:
    yield layout
    for inner in layout.inner.values():
        yield from _all(inner)


def _runs(layout: Layout, wire: Wire, leg: Leg) -> list[Run]:
    tensor = (wire.source, wire.output)
    if leg.source is None:
        cell = next(cell for cell in layout.rows[0] if cell.tensor == tensor)
        runs = [Run(layout, 0, cell.x)]
    else:
        cell = layout.cells[leg.source]
        runs = [Run(layout, cell.row, cell.x + layout.ports[leg.source, tensor, False], leg.source)]
    goal = layout.cells[leg.target] if leg.target is not None else None
    while True:
        below = [other for other, passed in cell.below if passed == tensor]
        if goal is not None and goal in below:
            assert leg.target is not None
            return [*runs, Run(layout, goal.row, goal.x + layout.ports[leg.target, tensor, True], leg.target, enters=True)]
        lanes = [other for other in below if other.child is None]
        if not lanes:
            return runs
        [cell] = lanes
        runs.append(Run(layout, cell.row, cell.x))


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
