"""Windows over a table whose rows follow each other in time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, Strict, model_validator

from nnspec.data.kinds import Column, DataError, DataWarning, UnknownColumnError, at_name, bare_name
from nnspec.data.readers.base import Files, Table, Timeline
from nnspec.data.readers.table_backed import TableBackedReader
from nnspec.data.segments import Gaps, segments_of
from nnspec.data.suspect_times import suspect_series, suspect_times
from nnspec.layers.scalars import PositiveInt
from nnspec.types import closest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nnspec.data.readers.base import Rows, Values

__all__ = ["Series", "series"]

_Name = Annotated[str, Strict(), Field(min_length=1)]


class Series(TableBackedReader):
    """Windows over a table: `window` rows of the past, and the `horizon` rows that follow them.

    Each column of the table exists twice, in the past and in the future; `at` says which is meant, by default the past for
    an input and the future for a target. The rows are in the order of time, which `time` lets the reader check. With `by`
    the table holds several series, and no window crosses from one to the next. A fraction for validation is the last part
    of each series, and no target of it is seen in training.
    """

    added: ClassVar[frozenset[str]] = frozenset({"time", "by", "gaps"})
    not_of_values: ClassVar[tuple[str, ...]] = ("window", "horizon", "stride", "time", "by", "gaps")

    window: PositiveInt = Field(description="How many rows of the past an example has.")
    horizon: PositiveInt = Field(1, description="How many rows of the future an example has.")
    stride: PositiveInt = Field(1, description="How many rows lie between the beginnings of two windows.")
    time: _Name | None = Field(
        None,
        description="The column of times, ISO 8601 or numbers. Rows out of order, repeated times and gaps are then errors.",
    )
    by: _Name | Annotated[list[_Name], Field(min_length=1)] | None = Field(
        None, description="The column, or the columns, whose values tell several series in one table apart."
    )
    gaps: Gaps = Field(
        "error",
        description="What happens where the step between two times is not the usual one: `error`; `split`: no window spans "
        "it; `ignore`: the rows count as evenly spaced.",
    )

    @model_validator(mode="after")
    def _one_table(self) -> Series:
        if sum(getattr(self, name) is not None for name in ("csv", "jsonl", "parquet")) != 1:
            raise ValueError("exactly one of `csv`, `jsonl` and `parquet` names the table")
        if self.gaps != "error" and self.time is None:
            raise ValueError("`gaps` needs `time`, the column in which they are looked for")
        return self

    @property
    def series_columns(self) -> tuple[str, ...]:
        return () if self.by is None else (self.by,) if isinstance(self.by, str) else tuple(self.by)

    def columns(self, files: Files) -> dict[str, Column]:
        columns = dict(self.table_columns(files))
        self._require(columns)
        return self.windows(columns)

    def open(self, files: Files) -> Table:
        return _SeriesTable(self, self.open_table(files))

    def windows(self, columns: Mapping[str, Column]) -> dict[str, Column]:
        """The columns of windows over a table's columns."""
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
    suggestion = closest(name, columns)
    listed = ", ".join(f"`{column}`" for column in list(columns)[:12])
    help = f"did you mean `{suggestion}`?" if suggestion else f"the columns are {listed}"
    return UnknownColumnError(name, help=help, argument=argument)


series = Series


class _SeriesTable(Table):
    def __init__(self, reader: Series, table: Table) -> None:
        import numpy as np

        self._reader = reader
        self._table = table
        rows, whole = len(table), reader.window + reader.horizon
        if rows < whole:
            reason = f"there are {rows:,} rows, and a window with its horizon has {whole:,}"
            raise DataError(reason, help="make `window` or `horizon` smaller", argument="window")
        found = segments_of(table, time=reader.time, by=reader.series_columns, gaps=reader.gaps)
        counts = np.maximum((found.lengths - whole) // reader.stride + 1, 0)
        if not counts.any():
            reason = (
                f"the longest run of rows without a break has {found.lengths.max():,}, and a window with its horizon {whole:,}"
            )
            raise DataError(reason, help="make `window` or `horizon` smaller", argument="window")
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
        made: Values = values[self._order[first[:, None] + np.arange(self._size(column))]]
        return made

    def warnings(self) -> Iterator[DataWarning]:
        reader = self._reader
        if len(self._too_short):
            rows, whole = int(self._too_short.sum()), reader.window + reader.horizon
            one = len(self._too_short) == 1
            what = "a run of rows" if one else f"{len(self._too_short):,} runs of rows"
            reason = f"{what}, {rows:,} in all, {'is' if one else 'are'} shorter than a window with its horizon, {whole:,} rows"
            yield DataWarning(f"{reason}: no example has them", help="make `window` or `horizon` smaller", argument="window")
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
