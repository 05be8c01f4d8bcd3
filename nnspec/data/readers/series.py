"""Windows over a table whose rows follow each other in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from nnspec.data.kinds import Column, DataError, at_name, bare_name
from nnspec.data.readers.base import Files, Table
from nnspec.data.readers.over_table import OverTable
from nnspec.layers.scalars import PositiveInt

if TYPE_CHECKING:
    from nnspec.data.readers.base import Rows, Values

__all__ = ["Series", "series"]


class Series(OverTable):
    """Windows over a table: `window` rows of the past, and the `horizon` rows behind them.

    Each column of the table is one of the past and one of the future; `at` says which is meant, for an input the past and for
    a target the future where it says nothing. The table's rows are in the order of time. A fraction for validation
    is the last part of the windows, and no target of one is seen in training.
    """

    not_of_values: ClassVar[tuple[str, ...]] = ("window", "horizon", "stride")

    window: PositiveInt = Field(description="How many rows of the past an example has.")
    horizon: PositiveInt = Field(1, description="How many rows of the future an example has.")
    stride: PositiveInt = Field(1, description="How many rows lie between the beginnings of two windows.")

    @model_validator(mode="after")
    def _one_table(self) -> Series:
        if sum(getattr(self, name) is not None for name in ("csv", "jsonl", "parquet")) != 1:
            raise ValueError("exactly one of `csv`, `jsonl` and `parquet` names the table")
        return self

    def columns(self, files: Files) -> dict[str, Column]:
        return self.windows(dict(self.table_columns(files)))

    def open(self, files: Files) -> Table:
        return _SeriesTable(self, self.open_table(files))

    def windows(self, columns: dict[str, Column]) -> dict[str, Column]:
        """The columns of windows over a table's columns."""
        sizes = {"past": self.window, "future": self.horizon}
        return {
            at_name(name, at): Column((size, *column.shape), column.dtype, column.ragged)
            for at, size in sizes.items()
            for name, column in columns.items()
        }


series = Series


class _SeriesTable(Table):
    def __init__(self, reader: Series, table: Table) -> None:
        self._reader = reader
        self._table = table
        rows, whole = len(table), reader.window + reader.horizon
        if rows < whole:
            reason = f"there are {rows:,} rows, and a window with its horizon has {whole:,}"
            raise DataError(reason, help="make `window` or `horizon` smaller", argument="window")
        self._count = (rows - whole) // reader.stride + 1
        self.columns = reader.windows(dict(table.columns))
        self.lazy = tuple(self.columns)
        # A window so far before another has no future row that is the other's, too.
        self.order = -(-reader.horizon // reader.stride) - 1

    def __len__(self) -> int:
        return self._count

    def read(self, column: str, rows: Rows) -> Values:
        import numpy as np

        values = self._table.read(bare_name(column), slice(None))
        first = np.arange(self._count)[rows] * self._reader.stride + self._offset(column)
        made: Values = values[first[:, None] + np.arange(self._size(column))]
        return made

    def _offset(self, column: str) -> int:
        return self._reader.window if self._is_future(column) else 0

    def _size(self, column: str) -> int:
        return self._reader.horizon if self._is_future(column) else self._reader.window

    def _is_future(self, column: str) -> bool:
        return column == at_name(bare_name(column), "future")

    def where(self, column: str, row: int) -> str:
        place = self._table.where(bare_name(column), row * self._reader.stride + self._offset(column))
        return f"in the {self._size(column)} rows from {place}"
