"""Assignment of a frame's children to rows with few crossings (Sugiyama, Tagawa and Toda 1981)."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from operator import itemgetter

_SWEEPS = 6
_MOST_LINKS = 20_000
"""Maximum number of links in a frame for crossing reduction, whose sweeps would take seconds beyond it."""


@dataclass(frozen=True)
class Net:
    """A tensor inside one frame.

    Attributes:
        tensor: The box that computes it, and its output.
        source: Child that it comes from; None if it comes from outside.
        targets: Children that read it.
        leaves: Whether something outside reads it.
    """

    tensor: tuple[str, str]
    source: str | None
    targets: tuple[str, ...]
    leaves: bool


@dataclass(eq=False)
class Cell:
    """A cell of a row: a child, or a lane by which a tensor passes the row.

    Attributes:
        child: Key of the child; None for a lane.
        tensor: Tensor on the lane.
        is_end: Whether the lane starts or ends here, at the frame's edge.
        above: Links to the row above: the cell and the tensor.
        below: Links to the row below.
        row: Index of its row.
        up: Whether its tensors go up: they enter it below.
        x: Its center, once placed.
    """

    child: str | None
    tensor: tuple[str, str] | None = None
    is_end: bool = False
    above: list[tuple[Cell, tuple[str, str]]] = field(default_factory=list, repr=False)
    below: list[tuple[Cell, tuple[str, str]]] = field(default_factory=list, repr=False)
    row: int = 0
    up: bool = False
    x: float = 0.0


Rows = list[list[Cell]]

Lean = Callable[[Cell, tuple[str, str], bool], float]
"""Relative offset at which a tensor meets a cell, from −0.5 to 0.5, at its top (True) or bottom (False)."""


def rows_of(children: Iterable[str], nets: Sequence[Net], lean: Lean) -> Rows:
    """Return rows of cells. The first contains the inputs, the last the outputs; either may be empty.

    Args:
        children: Keys of the children in topological order.
        nets: Tensors of the frame.
        lean: Returns where tensors meet a child that is a frame.
    """
    order = {child: number for number, child in enumerate(children)}
    ranks = _ranks(order, nets)
    last = max(ranks.values(), default=0) + 1
    rows: Rows = [[] for _ in range(last + 1)]
    cells = {child: Cell(child, row=ranks[child]) for child in order}
    for cell in cells.values():
        rows[cell.row].append(cell)
    for net in nets:
        if net.source is None:
            source = Cell(None, net.tensor, is_end=True)
            rows[0].append(source)
        else:
            source = cells[net.source]
        lay(net, source, cells, rows)
    reduce_crossings(rows, lean)
    return rows


def _ranks(order: Mapping[str, int], nets: Sequence[Net]) -> dict[str, int]:
    """Return the row of each child: one below its lowest source."""
    reads: dict[str, list[str]] = {child: [] for child in order}
    for net in nets:
        for target in net.targets:
            if net.source is not None and order[net.source] < order[target]:
                reads[target].append(net.source)
    ranks: dict[str, int] = {}
    for child in order:
        ranks[child] = 1 + max((ranks[source] for source in reads[child]), default=0)
    return ranks


def lay(net: Net, source: Cell, cells: Mapping[str, Cell], rows: Rows, lowest: int | None = None) -> None:
    """Link a tensor's source with its targets, by a common lane through the rows between them.

    Args:
        net: The tensor.
        source: The cell that it comes from.
        cells: The cell of each child.
        rows: The rows, in the direction of the tensors.
        lowest: The last row that the lane reaches, if a tensor goes further than its targets.
    """
    cell = source
    goals: dict[int, list[Cell]] = {}
    for target in net.targets:
        goals.setdefault(cells[target].row, []).append(cells[target])
    last_goal = lowest_row(net, cells)
    reached = len(rows) - 1 if net.leaves else last_goal if lowest is None else lowest
    for row in range(cell.row + 1, reached + 1):
        for goal in goals.get(row, ()):
            _link(cell, goal, net.tensor)
        if row < reached or reached > last_goal:
            lane = Cell(None, net.tensor, is_end=row == len(rows) - 1, row=row)
            rows[row].append(lane)
            _link(cell, lane, net.tensor)
            cell = lane


def lowest_row(net: Net, cells: Mapping[str, Cell]) -> int:
    """Return the row of the last child that reads a tensor; 0 if there is none."""
    return max((cells[target].row for target in net.targets), default=0)


def _link(upper: Cell, lower: Cell, tensor: tuple[str, str]) -> None:
    upper.below.append((lower, tensor))
    lower.above.append((upper, tensor))


def reduce_crossings(rows: Rows, lean: Lean) -> None:
    """Sweep down and up, sort each row by the mean position of its neighbors, and keep the best order."""
    links = sum(len(cell.below) for row in rows for cell in row)
    if links > _MOST_LINKS or max(map(len, rows)) < 2:
        return
    best, fewest = [list(row) for row in rows], _crossings(rows, lean)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        previous: Sequence[Cell] = ()
        for row in rows if down else reversed(rows):
            places = {id(cell): place for place, cell in enumerate(previous)}
            own = {id(cell): _mean(cell, places, place, down, lean) for place, cell in enumerate(row)}
            row.sort(key=lambda cell: own[id(cell)])
            previous = row
        found = _crossings(rows, lean)
        if found < fewest:
            best, fewest = [list(row) for row in rows], found
    rows[:] = best


def _mean(cell: Cell, places: Mapping[int, int], otherwise: float, down: bool, lean: Lean) -> float:
    links = cell.above if down else cell.below
    known = [
        places[id(other)] + lean(other, tensor, not down) - lean(cell, tensor, down)
        for other, tensor in links
        if id(other) in places
    ]
    return sum(known) / len(known) if known else otherwise


def _crossings(rows: Rows, lean: Lean) -> int:
    total = 0
    for upper, lower in pairwise(rows):
        places = {id(cell): place for place, cell in enumerate(lower)}
        links = sorted(
            (place + lean(cell, tensor, False), places[id(other)] + lean(other, tensor, True))
            for place, cell in enumerate(upper)
            for other, tensor in cell.below
            if id(other) in places
        )
        seen: list[float] = []
        for _, ends in groupby(links, key=itemgetter(0)):
            together = [end for _, end in ends]
            total += sum(len(seen) - bisect_right(seen, end) for end in together)
            for end in together:
                insort(seen, end)
    return total
