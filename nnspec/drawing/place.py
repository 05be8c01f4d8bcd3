"""Horizontal positions of the cells in each row: close to linked cells, without overlap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from nnspec.drawing.rows import Cell, Rows

_SWEEPS = 24

Width = Callable[[Cell], float]
Port = Callable[[Cell, tuple[str, str], bool], float]


def place(rows: Rows, width: Width, port: Port, gap: Callable[[Cell, Cell], float]) -> None:
    """Set the ``x`` of every cell.

    Each row in turn is moved to where its links would be straight, and spread as little as the gaps require: top-down,
    bottom-up, and finally by both neighbors.

    Args:
        rows: Cells in order.
        width: Returns the width of a cell.
        port: Returns the horizontal offset at which a tensor meets a cell, at its top (True) or bottom (False).
        gap: Returns the minimum space between two neighbors.
    """
    for row in rows:
        _spread(row, [0.0] * len(row), width, gap)
    for sweep in range(_SWEEPS):
        both = sweep >= _SWEEPS - 2
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            wished = [_wish(cell, port, above=both or down, below=both or not down) for cell in row]
            _spread(row, wished, width, gap)


def _wish(cell: Cell, port: Port, *, above: bool, below: bool) -> float:
    """Return the position at which most links are straight: the weighted median of the linked positions."""
    asked: list[tuple[float, int]] = []
    for links, wanted, top in ((cell.above, above, True), (cell.below, below, False)):
        if wanted:
            for other, tensor in links:
                x = other.x + port(other, tensor, not top) - port(cell, tensor, top)
                asked.append((x, _weight(cell, other)))
    if not asked:
        return cell.x
    asked.sort()
    half = sum(weight for _, weight in asked) / 2
    passed = 0
    for (x, weight), following in zip(asked, [*asked[1:], asked[-1]], strict=True):
        passed += weight
        if passed == half:
            return (x + following[0]) / 2
        if passed > half:
            return x
    return asked[-1][0]


def _weight(one: Cell, other: Cell) -> int:
    """Return the weight of a link: highest for lanes, then links between boxes, then links from a box to a lane."""
    lanes = sum(cell.child is None and not cell.is_end for cell in (one, other))
    return (4, 2, 16)[lanes]


def _spread(row: Sequence[Cell], wished: Sequence[float], width: Width, gap: Callable[[Cell, Cell], float]) -> None:
    """Return the least-squares positions that keep order and gaps (pool adjacent violators).

    Lanes have almost no weight, so they give way to boxes.
    """
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(offsets[-1] + width(left) / 2 + gap(left, right) + width(right) / 2)
    pools: list[tuple[float, float, int]] = []
    for cell, wish, offset in zip(row, wished, offsets, strict=False):
        weight = 1.0 if cell.child is not None else 1e-4
        pool = (weight * (wish - offset), weight, 1)
        while pools and pools[-1][0] / pools[-1][1] >= pool[0] / pool[1]:
            before = pools.pop()
            pool = (before[0] + pool[0], before[1] + pool[1], before[2] + pool[2])
        pools.append(pool)
    at = 0
    for total, weight, count in pools:
        for cell, offset in zip(row[at : at + count], offsets[at : at + count], strict=True):
            cell.x = total / weight + offset
        at += count
