"""Series and contiguous segments of a table, within which windows are cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from nnspec.data.kinds import DataError
from nnspec.data.times import Times, read_times

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnspec.data.readers.base import Table

Gaps = Literal["error", "split", "ignore"]

_SHOWN = 3
_ROWS_EACH = 4


class TimesError(DataError):
    """The times of rows are out of order, repeated or not evenly spaced."""


@dataclass(frozen=True)
class Segments:
    """Contiguous segments of rows.

    Attributes:
        order: The row indices, grouped by series, each in the table's order, (rows,).
        starts: The index in `order` at which each segment starts, ascending.
        lengths: The number of rows of each segment.
        series: The index of the series of each segment.
        labels: The values of the `by` columns of each series; one empty tuple if there is a single series.
    """

    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    series: NDArray[np.int64]
    labels: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Faults:
    """The faults in the times of ordered rows, as indices into the order.

    Attributes:
        backward: Rows with an earlier time than the previous row.
        repeated: Rows with the same time as the previous row.
        uneven: Rows whose difference from the previous row is below half the usual step or above 1.5 times it.
        step: The usual step, which is the median difference; 0 if there is none.
    """

    backward: NDArray[np.int64]
    repeated: NDArray[np.int64]
    uneven: NDArray[np.int64]
    step: float


def segments_of(table: Table, *, time: str | None, by: Sequence[str], gaps: Gaps) -> Segments:
    """Divide a table into series, and the series into segments at gaps.

    Args:
        table: The table.
        time: The column of times; None if the rows are assumed to be evenly spaced.
        by: The columns that identify the series.
        gaps: Whether a gap is an error, starts a new segment, or is ignored.

    Raises:
        TimesError: If the times of a series are not sorted, are repeated, or have a gap that is an error.
        DataError: If a time or a series label is missing.
    """
    import numpy as np

    series, labels = series_of(table, by)
    order = np.argsort(series, kind="stable")
    first = np.flatnonzero(np.diff(series[order], prepend=-1))
    if time is not None:
        times = read_times(table, time)
        found = faults_of(times.values[order], first)
        if len(found.backward) or len(found.repeated) or (gaps == "error" and len(found.uneven)):
            raise _refusal(table, time, times, order, found, by, gaps)
        if gaps == "split":
            first = np.union1d(first, found.uneven)
    lengths = np.diff(np.append(first, len(order)))
    return Segments(order, first.astype(np.int64), lengths, series[order[first]], labels)


def faults_of(times: NDArray[Any], first: NDArray[np.int64]) -> Faults:
    """Find the faults in times.

    Args:
        times: The times, grouped by series.
        first: The index of the first row of each series.

    Example:
        >>> import numpy as np
        >>> faults_of(np.array([1, 2, 3, 7, 8]), np.array([0])).uneven.tolist()
        [3]
    """
    import numpy as np

    steps = np.diff(times.astype(np.float64), prepend=times[:1])
    inside = np.ones(len(times), bool)
    inside[first] = False
    forward = inside & (steps > 0)
    step = float(np.median(steps[forward])) if forward.any() else 0.0
    uneven = forward & ((steps > 1.5 * step) | (steps < 0.5 * step))
    return Faults(np.flatnonzero(inside & (steps < 0)), np.flatnonzero(inside & (steps == 0)), np.flatnonzero(uneven), step)


def series_among(table: Table, times: Times, time: str) -> str | None:
    """Return a column that probably identifies several series: grouped by it, the times are sorted and distinct."""
    import numpy as np

    for name, column in table.columns.items():
        if name == time or column.shape != () or column.ragged or not _may_identify_series(table.read(name, slice(None))):
            continue
        series, _ = series_of(table, (name,))
        order = np.argsort(series, kind="stable")
        found = faults_of(times.values[order], np.flatnonzero(np.diff(series[order], prepend=-1)))
        if not len(found.backward) and not len(found.repeated):
            return name
    return None


def _may_identify_series(values: NDArray[Any]) -> bool:
    """Whether values can be series labels: strings or integers, none missing, each in several rows."""
    import numpy as np

    if values.dtype == object:
        distinct = set(values.tolist())
        return None not in distinct and 1 < len(distinct) <= len(values) // _ROWS_EACH
    return not (values % 1).any() and 1 < len(np.unique(values)) <= len(values) // _ROWS_EACH


def series_of(table: Table, by: Sequence[str]) -> tuple[NDArray[np.int64], tuple[tuple[str, ...], ...]]:
    """Return the index of each row's series, in order of first appearance, and the label of each series."""
    import numpy as np

    known: dict[tuple[str, ...], int] = {}
    if not by:
        return np.zeros(len(table), np.int64), ((),)
    columns = [table.read(name, slice(None)) for name in by]
    for name, values in zip(by, columns, strict=True):
        if values.ndim != 1:
            raise DataError(f"`{name}` has several values per row, so it cannot identify series", argument="by")
    numbers = np.empty(len(table), np.int64)
    for row, cells in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        if any(cell is None or cell != cell for cell in cells):
            which = next(name for name, cell in zip(by, cells, strict=True) if cell is None or cell != cell)
            help = "fill in the series of every row, or remove the row"
            raise DataError(f"{table.where(which, row)}: the value is missing", help=help, argument="by")
        numbers[row] = known.setdefault(tuple(map(_label, cells)), len(known))
    return numbers, tuple(known)


def _label(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _refusal(
    table: Table,
    column: str,
    times: Times,
    order: NDArray[np.int64],
    found: Faults,
    by: Sequence[str],
    gaps: Gaps,
) -> TimesError:
    """Return the error for all faults in the times, the most basic first."""
    if len(order) > 1 and len(found.backward) == len(order) - 1:
        reason = f"the rows are in descending order, from {times.shown(0)} to {times.shown(len(order) - 1)}"
        return TimesError(f"{table.where(column, 1)}: {reason}", help=f"sort the rows by `{column}`", argument="time")
    kinds = ((found.backward, "before"), (found.repeated, "equal to"), (found.uneven if gaps == "error" else (), "after"))
    reasons = [
        text for rows, how in kinds if len(rows) for text in _reasons(table, column, times, order, rows, how, found.step)
    ]
    return TimesError("; ".join(reasons), help=_help(table, column, times, found, by), argument="time")


def _reasons(
    table: Table, column: str, times: Times, order: NDArray[np.int64], rows: Any, how: str, step: float
) -> Iterator[str]:
    """Yield a clause for each of the first rows with a kind of fault; the last one states how many more there are."""
    for count, index in enumerate(rows[:_SHOWN]):
        row, before = int(order[index]), int(order[index - 1])
        text = f"{table.where(column, row)}: {times.shown(row)} "
        if how == "after":
            apart = times.duration(float(times.values[row]) - float(times.values[before]))
            text += f"is {apart} after {times.shown(before)}, but the usual step is {times.duration(step)}"
        else:
            text += f"is {how} the time of the previous row, {times.shown(before)}"
        more = len(rows) - _SHOWN
        yield text + (f" (and {more:,} more rows)" if count == _SHOWN - 1 and more > 0 else "")


_SEVERAL = "if the table contains several series, name the column that identifies them: `by: …`"


def _help(table: Table, column: str, times: Times, found: Faults, by: Sequence[str]) -> str:
    if not len(found.backward) and not len(found.repeated):
        return "fill the gaps, or write `gaps: split` to cut no window across a gap, or `gaps: ignore` to ignore them"
    if by:
        return f"sort the rows of each series by `{column}`, and keep one row per time"
    if (name := series_among(table, times, column)) is not None:
        return f"`{name}` probably identifies several series: write `by: {name}`"
    if len(found.repeated) and not len(found.backward):
        return f"keep one row per time; {_SEVERAL}"
    return f"sort the rows by `{column}`; {_SEVERAL}"
