"""The rows of a table as series: in the order of time, and cut where windows may not cross."""

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

__all__ = ["Faults", "Gaps", "Segments", "TimesError", "faults_of", "series_among", "series_of", "segments_of"]

Gaps = Literal["error", "split", "ignore"]

_SHOWN = 3
_ROWS_EACH = 4


class TimesError(DataError):
    """Rows whose times are out of order, repeated or not evenly spaced."""


@dataclass(frozen=True)
class Segments:
    """Runs of rows that windows may be cut from.

    Attributes:
        order: Row numbers of the table, series by series, each in the table's order, (rows,).
        starts: The place in `order` at which each stretch starts, ascending.
        lengths: The number of rows of each stretch.
        series: The series each stretch belongs to, from 0.
        labels: The values of the `by` columns of each series; one empty tuple if there is a single series.
    """

    order: NDArray[np.int64]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    series: NDArray[np.int64]
    labels: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Faults:
    """What is wrong with the times of a table, as places in an order of its rows.

    Attributes:
        backward: The places whose time is before that of the row in front.
        repeated: The places whose time equals that of the row in front.
        uneven: The places whose distance from the row in front is less than half the usual step, or more than 1.5 times it.
        step: The usual step: the median distance; 0 if there is none.
    """

    backward: NDArray[np.int64]
    repeated: NDArray[np.int64]
    uneven: NDArray[np.int64]
    step: float


def segments_of(table: Table, *, time: str | None, by: Sequence[str], gaps: Gaps) -> Segments:
    """Divides a table into series, and these where there are gaps.

    Args:
        table: The table.
        time: The column of times; None if the rows are taken to be evenly spaced.
        by: The columns whose values tell several series apart.
        gaps: What happens at a gap: an error, a new stretch, or nothing.

    Raises:
        TimesError: If the rows of a series are not sorted by time, repeat a time, or have a gap that is an error.
        DataError: If a time or the name of a series is missing.
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
    """What is wrong with times.

    Args:
        times: The times, series by series.
        first: The place of the first row of each series.

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
    """A column by whose values the times of a table that jump back are in order, none twice; None if there is none."""
    import numpy as np

    for name, column in table.columns.items():
        if name == time or column.shape != () or column.ragged or not _may_name(table.read(name, slice(None))):
            continue
        series, _ = series_of(table, (name,))
        order = np.argsort(series, kind="stable")
        found = faults_of(times.values[order], np.flatnonzero(np.diff(series[order], prepend=-1)))
        if not len(found.backward) and not len(found.repeated):
            return name
    return None


def _may_name(values: NDArray[Any]) -> bool:
    """Whether values can be the names of series: texts or whole numbers, none missing, each in several rows."""
    import numpy as np

    if values.dtype == object:
        distinct = set(values.tolist())
        return None not in distinct and 1 < len(distinct) <= len(values) // _ROWS_EACH
    return not (values % 1).any() and 1 < len(np.unique(values)) <= len(values) // _ROWS_EACH


def series_of(table: Table, by: Sequence[str]) -> tuple[NDArray[np.int64], tuple[tuple[str, ...], ...]]:
    """The number of each row's series, in the order in which they first appear, and what each is called."""
    import numpy as np

    known: dict[tuple[str, ...], int] = {}
    if not by:
        return np.zeros(len(table), np.int64), ((),)
    columns = [table.read(name, slice(None)) for name in by]
    for name, values in zip(by, columns, strict=True):
        if values.ndim != 1:
            raise DataError(f"`{name}` has several values a row, and cannot tell series apart", argument="by")
    numbers = np.empty(len(table), np.int64)
    for row, cells in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        if any(cell is None or cell != cell for cell in cells):
            which = next(name for name, cell in zip(by, cells, strict=True) if cell is None or cell != cell)
            help = "every row needs the name of its series: fill it in, or remove the row"
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
    """The error for all faults of the times, the most basic first."""
    if len(order) > 1 and len(found.backward) == len(order) - 1:
        reason = f"the rows go from the newest, {times.shown(0)}, to the oldest, {times.shown(len(order) - 1)}"
        return TimesError(f"{table.where(column, 1)}: {reason}", help=f"sort the rows by `{column}`", argument="time")
    kinds = ((found.backward, "before"), (found.repeated, "equal to"), (found.uneven if gaps == "error" else (), "after"))
    said = [
        text for places, how in kinds if len(places) for text in _said(table, column, times, order, places, how, found.step)
    ]
    return TimesError("; ".join(said), help=_help(table, column, times, found, by), argument="time")


def _said(
    table: Table, column: str, times: Times, order: NDArray[np.int64], places: Any, how: str, step: float
) -> Iterator[str]:
    """One sentence for a kind of fault: the first places, and how many more there are."""
    for count, place in enumerate(places[:_SHOWN]):
        row, before = int(order[place]), int(order[place - 1])
        text = f"{table.where(column, row)}: {times.shown(row)} "
        if how == "after":
            apart = times.duration(float(times.values[row]) - float(times.values[before]))
            text += f"follows {times.shown(before)} after {apart}, and the usual step is {times.duration(step)}"
        else:
            text += f"is {how} the time of the row in front, {times.shown(before)}"
        more = len(places) - _SHOWN
        yield text + (f" (and {more:,} more rows)" if count == _SHOWN - 1 and more > 0 else "")


def _help(table: Table, column: str, times: Times, found: Faults, by: Sequence[str]) -> str:
    if not len(found.backward) and not len(found.repeated):
        return "fill the gaps, or write `gaps: split`: no window then spans one; `gaps: ignore` takes the rows as evenly spaced"
    if by:
        return f"sort the rows of each series by `{column}`, and keep one row for each time"
    if (name := series_among(table, times, column)) is not None:
        return f"`{name}` tells several series apart: write `by: {name}`"
    if len(found.repeated) and not len(found.backward):
        return "keep one row for each time; if the table holds several series, name the column that tells them apart: `by: …`"
    return f"sort the rows by `{column}`; if the table holds several series, name the column that tells them apart: `by: …`"
