"""Networks that go down in resolution and up again, such as a U-Net: the way down on the left, the way up on the right.

The arms follow from the resolutions of the tensors alone. A network that does not fit them is drawn from top to bottom.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log2, prod

from nnspec.drawing.rows import Cell, Net, Rows, lay, lowest_row
from nnspec.drawing.tree import Tensor
from nnspec.graph.model import Graph
from nnspec.types import TensorType, substitute, symbols_of
from nnspec.types.solving import sample

_FREE = 4096
"""The size of a free axis, to compare resolutions."""
_CROPPED = 0.75
"""Smaller changes of the logarithm of a resolution are crops, of a skip or of a convolution without padding."""


@dataclass(frozen=True)
class Fold:
    """The two arms of a network.

    Attributes:
        left: The row of each child on the way down and at the bottom.
        right: The row of each child on the way up, counted from the top as well.
        rows: The number of rows; the first and the last are empty.
        bottom: The rows of the lowest resolution.
    """

    left: Mapping[str, int]
    right: Mapping[str, int]
    rows: int
    bottom: range

    def crossing(self, net: Net) -> int | None:
        """The row below which a tensor goes from the left to the right; None if it does not."""
        targets = [self.right[target] for target in net.targets if target in self.right]
        start = self.left.get(net.source) if net.source is not None else None
        return max(start, *targets) if start is not None and targets else None


def resolutions_of(graph: Graph) -> dict[Tensor, float]:
    """The resolution of each tensor with at least two axes: the mean size of its axes but the last."""
    types = {(f"input {name}", "output"): type_ for name, type_ in graph.inputs.items()}
    types |= {(node.name, name): type_ for node in graph.nodes.values() for name, type_ in node.outputs.items()}
    symbols = sorted({name for type_ in types.values() for size in type_.shape for name in symbols_of(size)})
    wanted = dict.fromkeys(symbols, _FREE)
    sizes = {**wanted, **(sample(symbols, graph.conditions, graph.conditions.relations, wanted) or {})}
    found = {tensor: _resolution(type_, sizes) for tensor, type_ in types.items() if type_.rank > 1}
    return {tensor: resolution for tensor, resolution in found.items() if resolution > 0}


def _resolution(type_: TensorType, sizes: Mapping[str, int]) -> float:
    numbers = [substitute(size, sizes) for size in type_.shape[:-1]]
    positions = prod(size for size in numbers if isinstance(size, int))
    mean: float = max(positions, 0) ** (1 / len(numbers))
    return mean


def fold_of(children: Iterable[str], nets: Sequence[Net], resolutions: Mapping[Tensor, float]) -> Fold | None:
    """Return the arms of a network; None if it does not go down and up again with skips across.

    Args:
        children: Keys of the children in topological order.
        nets: Tensors of the network.
        resolutions: The resolution of each tensor that has one.
    """
    order = list(children)
    reads: dict[str, list[str]] = {child: [] for child in order}
    sizes: dict[str, float] = {}
    for net in nets:
        size = resolutions.get(net.tensor)
        for target in net.targets:
            if net.source is not None:
                reads[target].append(net.source)
            if size is not None and target.startswith("output "):
                sizes[target] = size
        if net.source is not None and size is not None:
            sizes[net.source] = max(size, sizes.get(net.source, 0.0))
    levels = _levels(order, reads, sizes)
    deepest = max(levels.values(), default=0)
    right = _way_up(order, reads, levels, deepest)
    skips = {levels.get(source) for child in right for source in reads[child] if source not in right} - {deepest, None}
    if len(skips) < max(1, deepest // 2) or not _is_steady(order, reads, levels, right):
        return None
    return _placed(order, reads, levels, right)


def _levels(order: Sequence[str], reads: Mapping[str, Sequence[str]], sizes: Mapping[str, float]) -> dict[str, int]:
    """How often the resolution of each child was halved, by its source of the most similar resolution."""
    levels: dict[str, int] = {}
    for child in order:
        if child in sizes:
            steps = [(log2(sizes[source] / sizes[child]), levels[source]) for source in reads[child] if source in levels]
            step, level = min(steps, key=lambda each: (abs(each[0]), each[1]), default=(0.0, 0))
            levels[child] = level + (round(step) if abs(step) > _CROPPED else 0)
    return levels


def _way_up(order: Sequence[str], reads: Mapping[str, Sequence[str]], levels: Mapping[str, int], deepest: int) -> set[str]:
    """What is computed from the lowest resolution at a higher one."""
    below: set[str] = set()
    right: set[str] = set()
    for child in order:
        sources = reads[child]
        is_below = any(source in below for source in sources)
        if any(source in right for source in sources) or (is_below and levels.get(child, deepest) < deepest):
            right.add(child)
        elif is_below or levels.get(child) == deepest:
            below.add(child)
    return right


def _is_steady(order: Sequence[str], reads: Mapping[str, Sequence[str]], levels: Mapping[str, int], right: set[str]) -> bool:
    """Whether the resolution only falls on the left, and only rises on the right."""
    edges = ((source, child) for child in order for source in reads[child] if {source, child} <= levels.keys())
    return all(
        (levels[source] >= levels[child]) if source in right else child in right or levels[source] <= levels[child]
        for source, child in edges
    )


def _placed(order: Sequence[str], reads: Mapping[str, Sequence[str]], levels: Mapping[str, int], right: set[str]) -> Fold:
    """Give each level as many rows as its longer arm needs, and put the source of a skip beside its reader."""
    level: dict[str, int] = {}
    offset: dict[str, int] = {}
    for child in order:
        own = [source for source in reads[child] if (source in right) == (child in right)]
        known = [level[source] for source in own]
        default = min(known, default=0) if child in right else max(known, default=0)
        level[child] = levels.get(child, default)
        offset[child] = 1 + max((offset[source] for source in own if level[source] == level[child]), default=-1)
    start, starts, ends = 1, {}, {}
    for each in range(min(level.values()), max(level.values()) + 1):
        count = 1 + max((offset[child] for child in order if level[child] == each), default=-1)
        starts[each], ends[each] = start, start + count - 1
        start += count
    up = {child: ends[level[child]] - offset[child] for child in order if child in right}
    down = {child: starts[level[child]] + offset[child] for child in order if child not in right}
    for child in reversed(list(down)):
        readers = [other for other in order if child in reads[other] and level[other] == level[child]]
        last = min((down[other] - 1 for other in readers if other in down), default=ends[level[child]])
        beside = max((up[other] for other in readers if other in up), default=0)
        down[child] = max(down[child], min(last, beside))
    deepest = max(level.values())
    return Fold(down, up, start + 1, range(starts[deepest], ends[deepest] + 1))


def arms_of(fold: Fold, nets: Sequence[Net]) -> tuple[Rows, Rows, dict[Tensor, Cell]]:
    """Return the cells of both arms, each in the direction of its tensors: the right arm from the last row to the first.

    Returns:
        The rows of the left arm, those of the right arm, and where each tensor enters the right arm: a cell before its first.
    """
    left: Rows = [[] for _ in range(fold.rows)]
    right: Rows = [[] for _ in range(fold.rows)]
    cells = dict(_cells(left, fold.left))
    cells |= _cells(right, {child: fold.rows - 1 - row for child, row in fold.right.items()})
    entries: dict[Tensor, Cell] = {}
    for net in nets:
        assert net.source is not None  # a network reads only its own inputs
        if net.source in fold.right:
            lay(net, cells[net.source], cells, right)
            continue
        crossing = fold.crossing(net)
        own = Net(net.tensor, net.source, tuple(target for target in net.targets if target in fold.left), False)
        # A cell below the crossing, so that the tensor has a place at its source.
        last = lowest_row(own, cells) if crossing is None else max(lowest_row(own, cells), crossing + 1)
        lay(own, cells[net.source], cells, left, last)
        if crossing is not None:
            entry = Cell(None, net.tensor, is_end=True, row=fold.rows - 2 - crossing)
            right[entry.row].append(entry)
            entries[net.tensor] = entry
            lay(
                Net(net.tensor, None, tuple(target for target in net.targets if target in fold.right), False),
                entry,
                cells,
                right,
            )
    for row in right:
        row.sort(key=lambda cell: cell.tensor not in entries)  # what comes from the left is on the left
    return left, right, entries


def _cells(rows: Rows, ranks: Mapping[str, int]) -> Iterator[tuple[str, Cell]]:
    for child, row in ranks.items():
        cell = Cell(child, row=row)
        rows[row].append(cell)
        yield child, cell
