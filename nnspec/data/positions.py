"""The check of targets and inputs that are positions of another input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nnspec.data import problems as d
from nnspec.data.cells import Cells, Reported
from nnspec.data.plan import Feed
from nnspec.data.readers.base import Table
from nnspec.data.sequence_lengths import lengths_of
from nnspec.data.transforms import Learned
from nnspec.data.transforms.pointers import positions
from nnspec.data.transforms.text import pad
from nnspec.diagnostics import Diagnostic


def check_positions(
    feeds: Mapping[str, Feed], table: Table, learned: Mapping[str, Sequence[Learned]], problems: list[Diagnostic]
) -> None:
    """Report positions that the row of their input does not have.

    Args:
        feeds: The feeds of inputs and targets.
        table: The data.
        learned: The fitted states of the transforms, by ``inputs.NAME`` and ``targets.NAME``.
        problems: Problems are appended here.
    """
    for feed in feeds.values():
        step = next((step for step in feed.transforms if isinstance(step, positions)), None)
        lengths = None if step is None else _lengths(f"inputs.{step.of}", feeds, table, learned)
        if step is None or lengths is None:
            continue
        rows = table.read(feed.columns[0], slice(None))
        least, largest = (np.array([pick(row, initial=0) for row in rows], np.int64) for pick in (np.min, np.max))
        bad = (least < 0) | (largest >= lengths)
        if bad.any():
            row = int(bad.argmax())
            value, length = int(least[row] if least[row] < 0 else largest[row]), int(lengths[row])
            cells, problem = Cells(table, feed, problems), d.NoSuchPosition
            try:
                cells.refuse(problem, bad, None, of=step.of, value=value, length=length, last=length - 1)
            except Reported:
                return


def _lengths(
    place: str, feeds: Mapping[str, Feed], table: Table, learned: Mapping[str, Sequence[Learned]]
) -> NDArray[np.int64] | None:
    """The number of positions of each row that a network reads; None if rows are not padded."""
    lengths = lengths_of(table, feeds[place], learned[place]) if place in feeds else None
    if lengths is None:
        return None
    steps = zip(feeds[place].transforms, learned[place], strict=True)
    longest = next(int(found["length"]) for step, found in steps if isinstance(step, pad))
    return np.asarray(np.minimum(lengths, longest))
