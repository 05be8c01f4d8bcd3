"""The base class of readers whose rows come from a table file: ``{images: {csv: labels.csv, column: file}}``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from nnspec.data.data_files import DataFile
from nnspec.data.kinds import DataError
from nnspec.data.readers.base import Files, Reader, Table
from nnspec.data.readers.csv import Csv
from nnspec.data.readers.frame import Frame
from nnspec.data.readers.jsonl import Jsonl
from nnspec.data.readers.parquet import Parquet

if TYPE_CHECKING:
    from nnspec.data.kinds import Column

TABLES = ("csv", "jsonl", "parquet", "frame")
"""The arguments that give a table."""


class TableBackedReader(Reader):
    """A reader whose rows come from a table: `csv`, `jsonl`, `parquet` or `frame`."""

    added: ClassVar[frozenset[str]] = frozenset({"frame"})

    csv: Csv | None = Field(None, description="The table, as CSV.")
    jsonl: Jsonl | None = Field(None, description="The table, as JSON Lines.")
    parquet: Parquet | None = Field(None, description="The table, as Parquet.")
    frame: Frame | None = Field(None, description="The table, as a DataFrame that is passed in Python.")

    def find(self, argument: str, folder: Path, root: Path) -> DataFile:
        if argument == "frame" and self.frame is not None:
            return self.frame.find("name", folder, root)
        if argument == self.table_kind:
            reader: Reader = getattr(self, argument)
            return reader.find("file", folder, root)
        return super().find(argument, folder, root)

    @property
    def missing_frame(self) -> str | None:
        return self.frame.missing_frame if self.frame is not None else None

    @property
    def table_kind(self) -> str | None:
        """The argument that gives the table; None if there is none."""
        return next((name for name in TABLES if getattr(self, name) is not None), None)

    def named_paths(self) -> dict[str, str]:
        kind = self.table_kind
        own: dict[str, str] = getattr(self, kind).named_paths() if kind else {}
        return super().named_paths() | {str(kind): text for text in own.values()}

    def table_columns(self, files: Files) -> Mapping[str, Column]:
        """Return the columns of the table, from its header."""
        reader, own = self._table(files)
        try:
            columns: Mapping[str, Column] = reader.columns(own)
        except DataError as error:
            raise self._moved(error) from None
        return columns

    def open_table(self, files: Files) -> Table:
        """Open the table."""
        reader, own = self._table(files)
        try:
            return reader.open(own)
        except DataError as error:
            raise self._moved(error) from None

    def _table(self, files: Files) -> tuple[Reader, Files]:
        kind = self.table_kind
        assert kind is not None
        reader: Reader = getattr(self, kind)
        # Rows in memory have no file.
        return reader, dict.fromkeys(reader.named_paths(), files[kind]) if kind in files else {}

    def _moved(self, error: DataError) -> DataError:
        """Attribute an error of the table's file to the argument that gives it."""
        return DataError(error.message, help=error.help, argument=self.table_kind)
