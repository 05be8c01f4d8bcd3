"""Comma-separated values (RFC 4180) with a header line."""

from __future__ import annotations

import csv as text_format
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, islice
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from nnspec.data.data_files import DataFile
from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.base import Files, Reader, Table
from nnspec.data.readers.csv_header import begins_with_header, require_names
from nnspec.data.text_files import Encoding, open_text, undecodable
from nnspec.layers.scalars import Flag, PositiveInt

__all__ = ["Csv", "csv"]

_ROWS = 8192
_CELLS = 2**19
"""The maximum number of rows and of cells in a chunk; wide tables have fewer rows in each."""

_MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null")
_Character = Annotated[str, Field(min_length=1, max_length=1)]

_PANDAS: Mapping[str, str] = {
    **dict.fromkeys(("path", "filename", "filepath", "filepath_or_buffer", "source"), "the argument is `file`"),
    **dict.fromkeys(("sep", "separator", "delim"), 'the argument is `delimiter`, one character: `delimiter: ";"`'),
    **dict.fromkeys(("na_values", "na", "null_values", "nan"), 'the argument is `missing`, a list of texts: `missing: ["?"]`'),
    **dict.fromkeys(("quotechar", "quotes"), "the argument is `quote`"),
    **dict.fromkeys(("column_names", "fieldnames"), "the argument is `names`"),
    "columns": "write `names: […]` if the file has no header line; `inputs` and `targets` select columns",
    **dict.fromkeys(("usecols", "index_col"), "name the columns to use under `inputs` and `targets`"),
}
"""Arguments of pandas and other libraries, with what to write instead."""


class Csv(Reader):
    """A text table, optionally compressed with gzip. A column is numeric if all of its values are numbers, otherwise text."""

    main_argument: ClassVar[str | None] = "file"
    paths: ClassVar[tuple[str, ...]] = ("file",)
    added: ClassVar[frozenset[str]] = frozenset({"quote", "decimal", "thousands", "header", "encoding", "max_bytes"})
    not_of_values: ClassVar[tuple[str, ...]] = ("names", "header", "max_bytes")

    file: str = Field(description="The file.")
    delimiter: _Character = Field(
        ",", description="The character that separates values; for a `.tsv` file the default is a tab."
    )
    quote: Literal["none"] | _Character = Field(
        '"', description="The character around values that contain the delimiter; `none`: quotes are ordinary characters."
    )
    decimal: Literal[".", ","] = Field(".", description="The decimal separator.")
    thousands: _Character | None = Field(None, description="The separator between groups of digits, as in `1,234.5`.")
    header: Flag | None = Field(
        None,
        description="Whether the first line is a header; null: yes, unless `names` are given. With `names`, true replaces "
        "the header's names; null replaces them only if the line has one of `names` in its column.",
    )
    names: list[str] | None = Field(None, description="The column names; null: those of the header.")
    missing: list[str] = Field(list(_MISSING), description="The texts that mean a missing value, besides an empty one.")
    encoding: Encoding | None = Field(
        None, description="The encoding; null: UTF-8, or UTF-16 if the file starts with its byte order mark."
    )
    max_bytes: PositiveInt = Field(8 * 2**30, description="The maximum decompressed size of a gzip file, in bytes.")

    @model_validator(mode="after")
    def _apart(self) -> Csv:
        if self.thousands is not None and (self.thousands == self.decimal or self.thousands in "+-0123456789eE"):
            raise ValueError(f"`thousands` cannot be `{self.thousands}` with `decimal: {self.decimal}`")
        for name in ("delimiter", "quote"):
            if getattr(self, name) in ("\n", "\r", "\0"):
                raise ValueError(f"`{name}` cannot be a line end or a null character")
        if self.quote == self.separator:
            raise ValueError("`quote` and `delimiter` must differ")
        if self.header is False and self.names is None:
            raise ValueError("with `header: false`, give the column names: `names: […]`")
        return self

    @classmethod
    def foreign(cls) -> Mapping[str, str]:
        """Return the arguments of other libraries, with what to write instead."""
        return _PANDAS

    @property
    def separator(self) -> str:
        """The delimiter, a tab by default for `.tsv` files."""
        is_tsv = self.file.lower().removesuffix(".gz").endswith((".tsv", ".tab"))
        return "\t" if is_tsv and "delimiter" not in self.model_fields_set else self.delimiter

    def value_arguments(self) -> dict[str, Any]:
        arguments = super().value_arguments()
        if "delimiter" not in self.model_fields_set:
            del arguments["delimiter"]  # the default depends on the file name
        return arguments

    def columns(self, files: Files) -> dict[str, Column]:
        with self._rows(files["file"]) as rows:
            return dict.fromkeys(self._header(rows, files["file"])[0], Column((), "unknown"))

    def open(self, files: Files) -> Table:
        from nnspec.data.readers.csv_table import CsvTable

        return CsvTable(self, files["file"])

    @contextmanager
    def _rows(self, path: DataFile) -> Iterator[Iterator[list[str]]]:
        """Iterate over the rows, including the header; a parse error becomes a DataError that names the line."""
        with open_text(path, "CSV text", self.max_bytes, encoding=self.encoding, name=self.file) as file:
            reader = text_format.reader(_without_nulls(file, path), strict=True, **self._dialect)
            try:
                yield (row for row in reader if row)
            except text_format.Error as error:
                help = "write `quote: none` if quotes are part of the text; inside a quoted value, double the quote"
                if "limit" in str(error):
                    help += "; for texts this long, use `jsonl`"
                raise DataError(f"{path.name}, line {reader.line_num}: {error}", help=help, argument="file") from None
            except UnicodeDecodeError as error:
                help = "save it as UTF-8, or write `encoding: cp1252` or `encoding: latin-1` for Western European text"
                raise undecodable(path, error, self.max_bytes, help) from None

    @property
    def _dialect(self) -> dict[str, Any]:
        if self.quote == "none":
            return {"delimiter": self.separator, "quoting": text_format.QUOTE_NONE}
        return {"delimiter": self.separator, "quotechar": self.quote}

    def _header(self, rows: Iterator[list[str]], path: DataFile) -> tuple[list[str], Iterator[list[str]]]:
        """Return the column names and the rows after the header."""
        if self.names is None:
            return require_names(next(rows, None), self, path), rows
        names = require_names(self.names, self, path)
        if self.header is None:
            first = list(islice(rows, _chunk_rows(len(names))))
            rows = chain(first, rows)
            if not begins_with_header(first, names, self, path):
                return names, rows
        if self.header is not False:
            next(rows, None)
        return names, rows

    def table(self, path: DataFile) -> Iterator[list[tuple[str, ...]]]:
        """Iterate over chunks of rows, each as a list of columns; every row has the length of the header."""
        with self._rows(path) as all_rows:
            names, rows = self._header(all_rows, path)
            done = 0
            most = _chunk_rows(len(names))
            while chunk := list(islice(rows, most)):
                if set(map(len, chunk)) != {len(names)}:
                    place, row = next((i, row) for i, row in enumerate(chunk) if len(row) != len(names))
                    raise self._ragged(path, done + place, row, names)
                yield list(zip(*chunk, strict=True))
                done += len(chunk)

    def _ragged(self, path: DataFile, row: int, values: list[str], names: list[str]) -> DataError:
        reason = f"{path.name}, line {self.line(path, row)}: expected {len(names)} values, got {len(values)}"
        help = f"quote values that contain `{self.separator}`"
        if self.quote == "none":
            help = "remove the delimiter from the values, or set `quote` if values are quoted"
        elif row == 0 and len(values) == len(names) + 1 and self.names is None:
            help = "the header has one name less than the rows have values: give all `names`, with `header: true`"
        elif len(values) < len(names):
            help = "complete the line or remove it"
        return DataError(reason, help=help, argument="file")

    def line(self, path: DataFile, row: int) -> int:
        """Return the line on which a row starts; a quoted value may span several lines."""
        with open_text(path, "CSV text", self.max_bytes, encoding=self.encoding) as file:
            file.reconfigure(errors="replace")  # type: ignore[attr-defined]
            reader = text_format.reader(file, **self._dialect)
            left = row + self._has_header(path)
            before = 0
            for values in reader:
                if values:
                    if not left:
                        break
                    left -= 1
                before = reader.line_num
            return before + 1

    def _has_header(self, path: DataFile) -> bool:
        if self.names is None or self.header is not None:
            return self.header is not False
        with self._rows(path) as rows:
            first = list(islice(rows, _chunk_rows(len(self.names))))
        return begins_with_header(first, require_names(self.names, self, path), self, path)


csv = Csv


def _chunk_rows(columns: int) -> int:
    return min(_ROWS, max(2, _CELLS // max(columns, 1)))


def _without_nulls(lines: Iterable[str], path: DataFile) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            reason = f"{path.name}, line {number}: null character in CSV text"
            raise DataError(reason, help="the file is damaged; download it again", argument="file")
        yield line
