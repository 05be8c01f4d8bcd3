"""Windows of a time series in a table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import ConfigDict, Field, Strict, model_validator

from nnspec.data.kinds import Column, DataError, DataWarning, UnknownColumnError, at_name, bare_name
from nnspec.data.readers.base import Files, Table, Timeline
from nnspec.data.readers.table_backed import TABLES, TableBackedReader
from nnspec.data.segments import Gaps, segments_of
from nnspec.data.suspect_times import suspect_series, suspect_times
from nnspec.layers.scalars import PositiveInt
from nnspec.types import did_you_mean, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nnspec.data.readers.base import Rows, Values

_Name = Annotated[str, Strict(), Field(min_length=1)]


class Series(TableBackedReader):
    """Windows over a table: `window` rows of the past and the `horizon` rows that follow.

    Each column of the table has a past and a future part, selected by `at`; the default is the past for inputs and the
    future for targets. The rows must be sorted by time; `time` checks that. With `by`, the table contains several series,
    and no window spans two of them. A validation fraction is the end of each series; its targets are not used in training.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"csv": "power.csv", "window": 48, "horizon": 24}]})

    added: ClassVar[frozenset[str]] = frozenset({"time", "by", "gaps", "frame"})
    not_of_values: ClassVar[tuple[str, ...]] = ("window", "horizon", "stride", "time", "by", "gaps")

    window: PositiveInt = Field(description="The number of past rows in an example.")
    horizon: PositiveInt = Field(1, description="The number of future rows in an example.")
    stride: PositiveInt = Field(1, description="The number of rows between the starts of consecutive windows.")
    time: _Name | None = Field(
        None,
        description="The column of times, ISO 8601 or numbers. Unsorted rows, repeated times and gaps are then errors.",
    )
    by: _Name | Annotated[list[_Name], Field(min_length=1)] | None = Field(
        None, description="The column or columns that identify the series of a row."
    )
    gaps: Gaps = Field(
        "error",
        description="What to do if the step between two times is irregular: `error`; `split`: no window spans the gap; "
        "`ignore`: treat rows as evenly spaced.",
    )

    @model_validator(mode="after")
    def _one_table(self) -> Series:
        if sum(getattr(self, name) is not None for name in TABLES) != 1:
            raise ValueError("give the table as exactly one of `csv`, `jsonl`, `parquet` and `frame`")
        if self.gaps != "error" and self.time is None:
            raise ValueError("`gaps` requires `time`, the column of times")
        return self

    @property
    def series_columns(self) -> tuple[str, ...]:
        return () if self.by is None else (self.by,) if isinstance(self.by, str) else tuple(self.by)

    def columns(self, files: Files) -> dict[str, Column]:
        columns = dict(self.table_columns(files))
        self._require(columns)
        return self.windows(columns)

    def open(self, files: Files) -> Table:
        table = self.open_table(files)
        self._require(table.columns)
        return _SeriesTable(self, table)

    def windows(self, columns: Mapping[str, Column]) -> dict[str, Column]:
        """Return the columns of windows over the columns of a table."""
        sizes = {"past": self.window, "future": self.horizon}
        return {
            at_name(name, at): replace(column, shape=(size, *column.shape))
            for at, size in sizes.items()
            for name, column in columns.items()
        }

    def _require(self, columns: Mapping[str, Column]) -> None:
        named = [("time", self.time), *(("by", name) for name in self.series_columns)]
        unknown = [_unknown(argument, name, columns) for argument, name in named if name is not None and name not in columns]
        if unknown:
            unknown[0].others = tuple(unknown[1:])
            raise unknown[0]


def _unknown(argument: str, name: str, columns: Mapping[str, Column]) -> UnknownColumnError:
    help = did_you_mean(name, columns, f"the columns are {listed(list(columns)[:12])}")
    return UnknownColumnError(name, help=help, argument=argument)


series = Series


class _SeriesTable(Table):
    def __init__(self, reader: Series, table: Table) -> None:
        import numpy as np

        self._reader = reader
        self._table = table
        rows, whole = len(table), reader.window + reader.horizon
        if rows < whole:
            reason = f"got {rows:,} rows, but `window` plus `horizon` is {whole:,}"
            raise DataError(reason, help="reduce `window` or `horizon`", argument="window")
        found = segments_of(table, time=reader.time, by=reader.series_columns, gaps=reader.gaps)
        counts = np.maximum((found.lengths - whole) // reader.stride + 1, 0)
        if not counts.any():
            reason = f"the longest run without a gap has {found.lengths.max():,} rows, but `window` plus `horizon` is {whole:,}"
            raise DataError(reason, help="reduce `window` or `horizon`", argument="window")
        self._order = found.order
        place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        self._first = np.repeat(found.starts, counts) + place * reader.stride
        self._too_short = found.lengths[counts == 0]
        self.columns = reader.windows(table.columns)
        self.lazy = tuple(self.columns)
        self.series = np.repeat(found.series, counts)
        self.series_labels = found.labels
        future = self._first + reader.window
        self.timeline = Timeline(self.series, self._first, future, future + reader.horizon)

    def __len__(self) -> int:
        return len(self._first)

    def read(self, column: str, rows: Rows) -> Values:
        import numpy as np

        values = self._table.read(bare_name(column), slice(None))
        first = self._first[rows] + self._offset(column)
        windows: Values = values[self._order[first[:, None] + np.arange(self._size(column))]]
        return windows

    def warnings(self) -> Iterator[DataWarning]:
        reader = self._reader
        if len(self._too_short):
            rows, whole = int(self._too_short.sum()), reader.window + reader.horizon
            one = len(self._too_short) == 1
            what = "a run of rows" if one else f"{len(self._too_short):,} runs of rows"
            reason = f"{what} ({rows:,} in total) {'is' if one else 'are'} shorter than `window` plus `horizon`, {whole:,} rows"
            yield DataWarning(f"{reason}; they are not used", help="reduce `window` or `horizon`", argument="window")
        found = list(suspect_times(self._table, reader.series_columns)) if reader.time is None else []
        if not found and reader.by is None:
            found = list(suspect_series(self._table, reader.window + reader.horizon))
        yield from found

    def _offset(self, column: str) -> int:
        return self._reader.window if self._is_future(column) else 0

    def _size(self, column: str) -> int:
        return self._reader.horizon if self._is_future(column) else self._reader.window

    def _is_future(self, column: str) -> bool:
        return column == at_name(bare_name(column), "future")

    def is_number(self, text: str) -> bool:
        return self._table.is_number(text)

    def mend(self, column: str, texts: Collection[str]) -> str:
        return self._table.mend(bare_name(column), texts)

    def where(self, column: str, row: int) -> str:
        first = int(self._order[self._first[row] + self._offset(column)])
        return f"in the {self._size(column)} rows from {self._table.where(bare_name(column), first)}"
