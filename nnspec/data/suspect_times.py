"""Warnings about columns of a series that look like times or series labels, but are not declared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nnspec.data.kinds import DataError, DataWarning
from nnspec.data.segments import Faults, faults_of, series_among, series_of
from nnspec.data.times import Times, read_guessed_times, read_times

if TYPE_CHECKING:
    from nnspec.data.readers.base import Table

_DATE = re.compile(r"\d{4}[-./W]?\d|\d{1,2}[-./]\d{1,2}[-./]\d{2}")

_NAMES = frozenset({"time", "timestamp", "date", "datetime", "ds", "t"})
"""Numbers are taken for times only in columns with these names; texts in ISO 8601 in any column."""


def suspect_times(table: Table, by: Sequence[str]) -> Iterator[DataWarning]:
    """Warn if a column looks like the time, but is unsorted, repeated or unevenly spaced.

    There is no warning if another such column is in order, since that one is then the time.

    Args:
        table: The table.
        by: The columns that identify the series.
    """
    found = [
        (name, [(times, _faults(table, times, by)) for times in readings]) for name, readings in _times(table, by) if readings
    ]
    # If day and month are ambiguous, it is sufficient that one reading is in order.
    suspect = [(name, read[0]) for name, read in found if all(_is_suspect(faults) for _, faults in read)]
    if suspect and len(suspect) == len(found):
        name, (times, faults) = suspect[0]
        reason, row = _reason(faults)
        also = "" if row is None else f", first at {table.where(name, row)}"
        help = f"write `time: {name}` in `series`"
        if (len(faults.backward) or len(faults.repeated)) and not by:
            column = series_among(table, times, name)
            help += f" and `by: {column}`, which identifies several series" if column else ", and sort the rows by it"
        elif not len(faults.backward) and not len(faults.repeated):
            help += ", and `gaps: split` to cut no window across a gap"
        yield DataWarning(f"`{name}` looks like the time, but {reason}{also}", help=help)


def suspect_series(table: Table, least: int) -> Iterator[DataWarning]:
    """Warn if a text column is constant over long runs of rows, as if it identified several series.

    Args:
        table: The table.
        least: The minimum average length of a run.
    """
    for name, column in table.columns.items():
        if not column.is_text or column.shape != () or column.ragged:
            continue
        values = table.read(name, slice(None)).tolist()
        runs = [value for value, before in zip(values, [object(), *values], strict=False) if value != before]
        if 1 < len(runs) == len(set(runs)) <= len(values) // least and not any(map(_may_be_time, runs)):
            shown = ", ".join(f"`{str(run)[:20]}`" for run in runs[:3]) + (", …" if len(runs) > 3 else "")
            reason = f"`{name}` looks like a series label: it is constant over {len(runs):,} runs of rows, {shown}"
            yield DataWarning(reason, help=f"if there are several series, write `by: {name}` to cut no window across them")
            return


def _times(table: Table, by: Sequence[str]) -> Iterator[tuple[str, list[Times]]]:
    """Yield the columns that look like times, with their possible readings."""
    import numpy as np

    for name, column in table.columns.items():
        if name in by or column.shape != () or column.ragged or not len(table):
            continue
        if not column.is_text and name.lower() not in _NAMES:
            continue
        # The first value rules out most text columns.
        if column.is_text and not _may_be_time(table.read(name, slice(0, 1))[0]):
            continue
        try:
            readings = [read_times(table, name)]
        except DataError:
            readings = read_guessed_times(table, name) if column.is_text else []
        yield name, [times for times in readings if len(np.unique(times.values)) > 1]


def _may_be_time(value: object) -> bool:
    return isinstance(value, str) and _DATE.match(value) is not None


def _faults(table: Table, times: Times, by: Sequence[str]) -> Faults:
    import numpy as np

    series, _ = series_of(table, by)
    order = np.argsort(series, kind="stable")
    found = faults_of(times.values[order], np.flatnonzero(np.diff(series[order], prepend=-1)))
    return Faults(order[found.backward], order[found.repeated], order[found.uneven], found.step)


def _is_suspect(faults: Faults) -> bool:
    return bool(len(faults.backward) or len(faults.repeated) or len(faults.uneven))


def _reason(faults: Faults) -> tuple[str, int | None]:
    if len(faults.backward):
        return f"it decreases at {_rows(len(faults.backward))}", int(faults.backward[0])
    if len(faults.repeated):
        return f"it is repeated at {_rows(len(faults.repeated))}", int(faults.repeated[0])
    return f"it is not evenly spaced at {_rows(len(faults.uneven))}", int(faults.uneven[0])


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
