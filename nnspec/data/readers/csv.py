"""Comma-separated values (RFC 4180), with a header line."""

from __future__ import annotations

import csv as text_format
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.base import Files, Reader, Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnspec.data.readers.base import Rows, Values

__all__ = ["Csv", "csv"]

_CHUNK = 8192
_MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null")


class Csv(Reader):
    """A table as text. A column in which every value is a number is numeric, any other is text."""

    main_argument: ClassVar[str | None] = "file"
    paths: ClassVar[tuple[str, ...]] = ("file",)
    not_of_values: ClassVar[tuple[str, ...]] = ("names",)

    file: str = Field(description="The file, UTF-8.")
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = Field(",", description="What stands between two values.")
    names: list[str] | None = Field(
        None, description="The columns' names, where the file has no header line; null: its first line."
    )
    missing: list[str] = Field(list(_MISSING), description="What stands for a value that is not there.")

    def columns(self, files: Files) -> dict[str, Column]:
        with self._rows(files["file"]) as rows:
            return dict.fromkeys(self._header(rows, files["file"]), Column((), "unknown"))

    def open(self, files: Files) -> Table:
        return _CsvTable(self, files["file"])

    @contextmanager
    def _rows(self, path: Path) -> Iterator[Iterator[list[str]]]:
        """The rows, the header among them; what cannot be read becomes a DataError that names the line."""
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                reader = text_format.reader(file, delimiter=self.delimiter, strict=True)
                try:
                    yield (row for row in reader if row)
                except text_format.Error as error:
                    raise DataError(f"{path.name}, line {reader.line_num}: {error}", argument="file") from None
                except UnicodeDecodeError as error:
                    reason = (
                        f"{path.name} is not UTF-8 text: byte {error.object[error.start]:#04x} after line {reader.line_num}"
                    )
                    raise DataError(reason, help="save it as UTF-8", argument="file") from None
        except OSError as error:
            raise DataError(f"{path.name} cannot be read: {error}", argument="file") from None

    def _header(self, rows: Iterator[list[str]], path: Path) -> list[str]:
        names = self.names if self.names is not None else next(rows, None)
        if not names:
            raise DataError(f"{path.name} is empty", help="its first line must name the columns", argument="file")
        names = [name.strip() for name in names]
        for position, name in enumerate(names, 1):
            if not name:
                raise DataError(f"{path.name}: column {position} has no name", help="name it, or give `names`", argument="file")
            if name in names[: position - 1]:
                raise DataError(f"{path.name} has two columns `{name}`", help="rename one, or give `names`", argument="file")
        if len(names) == 1:
            other = next((d for d in (";", "\t", "|") if d in names[0]), None)
            if other is not None:
                shown = "\\t" if other == "\t" else other
                raise DataError(f"{path.name} has one column", help=f'write `delimiter: "{shown}"`', argument="file")
        return names

    def table(self, path: Path) -> Iterator[list[tuple[str, ...]]]:
        """The columns of some rows at a time, each row of the right length."""
        with self._rows(path) as rows:
            names = self._header(rows, path)
            done = 0
            while chunk := list(islice(rows, _CHUNK)):
                for i, row in enumerate(chunk):
                    if len(row) != len(names):
                        where = f"{path.name}, line {self.line(path, done + i)}"
                        reason = f"{where}: {len(row)} values, where there are {len(names)} columns"
                        raise DataError(reason, help="a value with a comma in it stands in quotes", argument="file")
                yield list(zip(*chunk, strict=True))
                done += len(chunk)

    def line(self, path: Path, row: int) -> int:
        """The line of the file on which a row begins; a value in quotes may span several."""
        with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
            reader = text_format.reader(file, delimiter=self.delimiter)
            left = row + (self.names is None)
            before = 0
            for values in reader:
                if values:
                    if not left:
                        break
                    left -= 1
                before = reader.line_num
            return before + 1


csv = Csv


class _CsvTable(Table):
    """The numeric columns in memory; text is read again when it is asked for."""

    def __init__(self, reader: Csv, path: Path) -> None:
        import numpy as np

        self._reader = reader
        self._path = path
        with reader._rows(path) as rows:
            names = reader._header(rows, path)
        parts: list[list[NDArray[np.float64]] | None] = [[] for _ in names]
        self._rows = 0
        for chunk in reader.table(path):
            self._rows += len(chunk[0])
            for i, values in enumerate(chunk):
                part = parts[i]
                if part is not None:
                    numbers = _numbers(values, reader.missing)
                    if numbers is None:
                        parts[i] = None
                    else:
                        part.append(numbers)
        self._values: dict[str, Values] = {
            name: np.concatenate(part) if part else np.empty(0)
            for name, part in zip(names, parts, strict=True)
            if part is not None
        }
        self.columns = {name: Column((), "float64" if name in self._values else "text") for name in names}

    def __len__(self) -> int:
        return self._rows

    def read(self, column: str, rows: Rows) -> Values:
        if column not in self._values:
            self._values[column] = self._text(column)
        return self._values[column][rows]

    def _text(self, column: str) -> Values:
        import numpy as np

        position = list(self.columns).index(column)
        missing = set(self._reader.missing)
        values = np.empty(self._rows, object)
        done = 0
        for chunk in self._reader.table(self._path):
            part = [None if value.strip() in missing else value.strip() for value in chunk[position]]
            values[done : done + len(part)] = part
            done += len(part)
        return values

    def where(self, column: str, row: int) -> str:
        return f"{self._path.name}, line {self._reader.line(self._path, row)}, column `{column}`"


def _numbers(values: tuple[str, ...], missing: list[str]) -> NDArray[np.float64] | None:
    """The numbers that the texts are, NaN where one is missing; None where one is no number."""
    import numpy as np

    joined = "".join(values)
    # float() takes `1_000` and the digits of every script; a table that has them means something else.
    if "_" in joined or not joined.isascii():
        return None
    try:
        return np.array(values, np.float64)
    except ValueError:
        absent = set(missing)
        try:
            return np.array([np.nan if value.strip() in absent else value for value in values], np.float64)
        except ValueError:
            return None
