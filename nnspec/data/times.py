"""Time columns: numbers, or dates and datetimes in ISO 8601."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from nnspec.data.kinds import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnspec.data.readers.base import Table

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_MONTH = re.compile(r"\d{4}-\d\d")
_BASIC_DATES = (18000101, 22001231)

_YEAR_LAST = re.compile(r"(\d{1,2})([./-])(\d{1,2})[./-](\d{4}|\d\d)(?:[ T,]+(.+))?")
_YEAR_FIRST = re.compile(r"(\d{4})[./](\d{1,2})[./](\d{1,2})(?:[ T]+(.+))?")
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d\d(:\d\d)?( ?[AaPp][Mm])?")
_HAS_MONTH_NAME = re.compile(r"[A-Za-z]{3}")


@dataclass(frozen=True)
class Times:
    """The time of each row of a table.

    Attributes:
        values: Microseconds since 1970 for dates, otherwise the numbers, (rows,).
        dates: Whether the times are dates.
        written: The original strings; None for numbers.
    """

    values: NDArray[np.int64] | NDArray[np.float64]
    dates: bool
    written: NDArray[Any] | None = None

    def shown(self, row: int) -> str:
        """The time of a row, for a message."""
        if self.written is not None:
            return str(self.written[row])
        value = self.values[row]
        return str(_EPOCH + timedelta(microseconds=int(value))) if self.dates else f"{value:.15g}"

    def duration(self, length: float) -> str:
        """A difference between two times, for a message."""
        return str(timedelta(microseconds=int(length))) if self.dates else f"{length:g}"


def read_times(table: Table, column: str) -> Times:
    """Read the times in a column.

    Args:
        table: The table.
        column: The column: numbers, eight-digit dates (``20240301``), or strings in ISO 8601. Times with a UTC offset are
            converted to UTC.

    Raises:
        DataError: If a value is missing or is not a time; states its row.
    """
    import numpy as np

    values = table.read(column, slice(None))
    if values.ndim != 1 or values.dtype.kind not in "OiufM":
        raise DataError(f"`{column}` does not contain times", help="write one number or ISO 8601 date per row")
    if values.dtype == object:
        return _of_texts(table, column, values)
    if values.dtype.kind == "M":
        values = np.where(np.isnat(values), np.nan, values.astype("datetime64[us]").astype(np.int64))
        return Times(_finite(table, column, values.astype(np.float64)).astype(np.int64), dates=True)
    numbers = _finite(table, column, values.astype(np.float64))
    dates = _basic_dates(numbers)
    return Times(numbers, dates=False) if dates is None else dates


def read_guessed_times(table: Table, column: str) -> list[Times]:
    """Read the times in a text column of dates in other formats than ISO 8601, for warnings.

    There may be two readings, with the day or the month first. The list is empty if a row is not a date.
    """
    found = []
    texts = table.read(column, slice(None)).tolist()
    for day_first in (True, False):
        moments = [iso_time(_as_iso(text, day_first=day_first)) if isinstance(text, str) else None for text in texts]
        if None not in moments:
            found.append(_since_epoch([moment.replace(tzinfo=None) for moment in moments if moment is not None]))
    return found


def _as_iso(text: str, *, day_first: bool) -> str:
    if found := _YEAR_FIRST.fullmatch(text):
        year, month, day, rest = found.groups()
    elif found := _YEAR_LAST.fullmatch(text):
        first, separator, second, year, rest = found.groups()
        day, month = (first, second) if day_first or separator == "." else (second, first)
        year = year if len(year) == 4 else f"20{year}"
    else:
        return text
    time = f"T{rest.zfill(5)}" if rest and ":" in rest[:3] else ""
    return f"{year}-{int(month):02}-{int(day):02}{time}"


def _since_epoch(moments: list[datetime]) -> Times:
    import numpy as np

    return Times(np.array([(moment - _EPOCH) // _MICROSECOND for moment in moments], np.int64), dates=True)


def _finite(table: Table, column: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    bad = ~np.isfinite(values)
    if bad.any():
        raise DataError(f"{table.where(column, int(bad.argmax()))}: the time is missing", help=_EVERY_ROW)
    return values


_EVERY_ROW = "fill in the time of every row, or remove the row"


def _of_texts(table: Table, column: str, values: NDArray[Any]) -> Times:
    import numpy as np

    found = np.empty(len(values), np.int64)
    offset: bool | None = None
    for row, value in enumerate(values):
        if value is None:
            raise DataError(f"{table.where(column, row)}: the time is missing", help=_EVERY_ROW)
        moment = iso_time(value) if isinstance(value, str) else None
        if moment is None:
            shown = str(value)[:40]
            reason = f"{table.where(column, row)}: `{shown}` is neither a number nor an ISO 8601 date (2026-01-31)"
            raise DataError(reason, help=_help(shown))
        aware = moment.tzinfo is not None
        if offset is not None and aware != offset:
            reason = f"{table.where(column, row)}: `{value}` has {'a' if aware else 'no'} UTC offset, unlike the rows before it"
            raise DataError(reason, help="write all times of the column with a UTC offset, or all without")
        offset = aware
        found[row] = ((moment.astimezone(UTC).replace(tzinfo=None) if aware else moment) - _EPOCH) // _MICROSECOND
    return Times(found, dates=True, written=values)


def iso_time(text: str) -> datetime | None:
    """Return the time that a text in ISO 8601 states; None for other text.

    Example:
        >>> iso_time("2026-01")
        datetime.datetime(2026, 1, 1, 0, 0)
    """
    try:
        return datetime.fromisoformat(f"{text}-01" if _MONTH.fullmatch(text) else text)
    except ValueError:
        return None


def looks_like_time(text: str) -> bool:
    """Whether a text is a date or a time, in ISO 8601 or another common format.

    Example:
        >>> [looks_like_time(text) for text in ("2026-01-31", "31.01.2026", "13:45", "3.14")]
        [True, True, True, False]
    """
    patterns = (_YEAR_LAST, _YEAR_FIRST, _TIME_OF_DAY)
    return iso_time(text) is not None or any(pattern.fullmatch(text) for pattern in patterns)


def _basic_dates(numbers: NDArray[np.float64]) -> Times | None:
    """Return dates for numbers such as 20240301; None for other numbers."""
    low, high = _BASIC_DATES
    if not len(numbers) or numbers.min() < low or numbers.max() > high or (numbers % 1).any():
        return None
    moments = [iso_time(str(int(number))) for number in numbers]
    return None if None in moments else _since_epoch([moment for moment in moments if moment is not None])


def _help(text: str) -> str:
    """Return the help for a date that is not in ISO 8601."""
    if found := _YEAR_FIRST.fullmatch(text):
        year, month, day, rest = found.groups()
        return f"write it with hyphens: `{year}-{int(month):02}-{int(day):02}{_time(rest)}`"
    if found := _YEAR_LAST.fullmatch(text):
        first, separator, second, year, rest = found.groups()
        year, a, b = year if len(year) == 4 else f"20{year}", int(first), int(second)
        day_first, month_first = f"`{year}-{b:02}-{a:02}{_time(rest)}`", f"`{year}-{a:02}-{b:02}{_time(rest)}`"
        if a > 12 or (separator == "." and b <= 12):
            return f"write the year first: {day_first}"
        if b > 12:
            return f"write the year first: {month_first}"
        return f"write the year first: {day_first} if the day comes first in the data, {month_first} if the month does"
    if _TIME_OF_DAY.fullmatch(text):
        return "a time of day does not order rows of several days: add the date, `2026-01-31 " + text[:5] + "`"
    if _HAS_MONTH_NAME.search(text) and any(letter.isdigit() for letter in text):
        return "write the month as a number, the year first: `2026-01-31` or `2026-01-31 13:45:00`"
    return "write `2026-01-31`, `2026-01-31 13:45:00`, or a number"


def _time(rest: str | None) -> str:
    return f" {rest}" if rest else ""
