"""Comma-separated values (RFC 4180), with a header line."""

from __future__ import annotations

import csv as text_format
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.base import Files, Reader, Table
from nnspec.data.readers.csv_header import begins_with_header, require_names
from nnspec.data.text_files import Encoding, open_text, undecodable
from nnspec.layers.scalars import Flag, PositiveInt

__all__ = ["Csv", "csv"]

_CHUNK = 8192
_MISSING = ("", "NA", "N/A", "NaN", "nan", "NULL", "null")
_Character = Annotated[str, Field(min_length=1, max_length=1)]

_PANDAS: Mapping[str, str] = {
    **dict.fromkeys(("path", "filename", "filepath", "filepath_or_buffer", "source"), "it is called `file` here"),
    **dict.fromkeys(("sep", "separator", "delim"), 'it is called `delimiter` here, one character: `delimiter: ";"`'),
    **dict.fromkeys(
        ("na_values", "na", "null_values", "nan"), 'it is called `missing` here, a list of texts: `missing: ["?"]`'
    ),
    **dict.fromkeys(("quotechar", "quotes"), "it is called `quote` here"),
    **dict.fromkeys(("column_names", "fieldnames"), "it is called `names` here"),
    "columns": "write `names: […]` if the file has no header line; `inputs` and `targets` say which columns are used",
    **dict.fromkeys(
        ("usecols", "index_col"), "name the columns that are used under `inputs` and `targets`; others are not read"
    ),
}
"""What its arguments are called in pandas and elsewhere."""


class Csv(Reader):
    """A table as text, which may be compressed with gzip. A column is numeric if every value in it is a number, else text."""

    main_argument: ClassVar[str | None] = "file"
    paths: ClassVar[tuple[str, ...]] = ("file",)
    added: ClassVar[frozenset[str]] = frozenset({"quote", "decimal", "thousands", "header", "encoding", "max_bytes"})
    not_of_values: ClassVar[tuple[str, ...]] = ("names", "header", "max_bytes")

    file: str = Field(description="The file.")
    delimiter: _Character = Field(
        ",", description="The character between two values; in a `.tsv` file it is a tab if none is given."
    )
    quote: Literal["none"] | _Character = Field(
        '"', description="The character around a value that contains the delimiter; `none`: quotes are ordinary characters."
    )
    decimal: Literal[".", ","] = Field(".", description="The decimal separator.")
    thousands: _Character | None = Field(None, description="The separator between groups of digits, as in `1,234.5`.")
    header: Flag | None = Field(
        None,
        description="Whether the first line names the columns; null: it does unless `names` are given. With `names`, true "
        "replaces its names, and null replaces them only if the line contains one of `names` in its place.",
    )
    names: list[str] | None = Field(None, description="The columns' names; null: those of the first line.")
    missing: list[str] = Field(list(_MISSING), description="The texts that stand for a missing value, beside an empty one.")
    encoding: Encoding | None = Field(
        None, description="The encoding; null: UTF-8, or UTF-16 if the file begins with its byte order mark."
    )
    max_bytes: PositiveInt = Field(8 * 2**30, description="The most bytes that a compressed file may decompress to.")

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
            raise ValueError("without a header line, `names` must name the columns")
        return self

    @classmethod
    def foreign(cls) -> Mapping[str, str]:
        """Pandas's names for its arguments."""
        return _PANDAS

    @property
    def separator(self) -> str:
        """The delimiter."""
        is_tsv = self.file.lower().removesuffix(".gz").endswith((".tsv", ".tab"))
        return "\t" if is_tsv and "delimiter" not in self.model_fields_set else self.delimiter

    def value_arguments(self) -> dict[str, Any]:
        told = super().value_arguments()
        if "delimiter" not in self.model_fields_set:
            del told["delimiter"]  # which goes by the name of each file
        return told

    def columns(self, files: Files) -> dict[str, Column]:
        with self._rows(files["file"]) as rows:
            return dict.fromkeys(self._header(rows, files["file"])[0], Column((), "unknown"))

    def open(self, files: Files) -> Table:
        from nnspec.data.readers.csv_table import CsvTable

        return CsvTable(self, files["file"])

    @contextmanager
    def _rows(self, path: Path) -> Iterator[Iterator[list[str]]]:
        """The rows, the header among them; what cannot be read becomes a DataError that names the line."""
        with open_text(path, "CSV text", self.max_bytes, encoding=self.encoding, name=self.file) as file:
            reader = text_format.reader(_without_nulls(file, path), strict=True, **self._dialect)
            try:
                yield (row for row in reader if row)
            except text_format.Error as error:
                help = "write `quote: none` if quotes are part of the text; a quote in a quoted value is written twice"
                if "limit" in str(error):
                    help += "; read texts that are this long with `jsonl`"
                raise DataError(f"{path.name}, line {reader.line_num}: {error}", help=help, argument="file") from None
            except UnicodeDecodeError as error:
                help = "save it as UTF-8, or write `encoding: cp1252` or `encoding: latin-1` if it is text of Western Europe"
                raise undecodable(path, error, self.max_bytes, help) from None

    @property
    def _dialect(self) -> dict[str, Any]:
        if self.quote == "none":
            return {"delimiter": self.separator, "quoting": text_format.QUOTE_NONE}
        return {"delimiter": self.separator, "quotechar": self.quote}

    def _header(self, rows: Iterator[list[str]], path: Path) -> tuple[list[str], Iterator[list[str]]]:
        """The columns' names, and the rows without the header line."""
        if self.names is None:
            return require_names(next(rows, None), self, path), rows
        names = require_names(self.names, self, path)
        if self.header is None:
            first = list(islice(rows, _CHUNK))
            rows = chain(first, rows)
            if not begins_with_header(first, names, self, path):
                return names, rows
        if self.header is not False:
            next(rows, None)
        return names, rows

    def table(self, path: Path) -> Iterator[list[tuple[str, ...]]]:
        """The columns of some rows at a time, each row of the right length."""
        with self._rows(path) as all_rows:
            names, rows = self._header(all_rows, path)
            done = 0
            while chunk := list(islice(rows, _CHUNK)):
                for i, row in enumerate(chunk):
                    if len(row) != len(names):
                        raise self._ragged(path, done + i, row, names)
                yield list(zip(*chunk, strict=True))
                done += len(chunk)

    def _ragged(self, path: Path, row: int, values: list[str], names: list[str]) -> DataError:
        reason = f"{path.name}, line {self.line(path, row)}: {len(values)} values, where there are {len(names)} columns"
        help = f"write a value that contains `{self.separator}` in quotes"
        if self.quote == "none":
            help = "remove the delimiter from the values, or write `quote` if values are in quotes"
        elif row == 0 and len(values) == len(names) + 1 and self.names is None:
            help = "the header has one name fewer than the rows have values: give `names` for all, and write `header: true`"
        elif len(values) < len(names):
            help = "complete the line, or remove it"
        return DataError(reason, help=help, argument="file")

    def line(self, path: Path, row: int) -> int:
        """The line of the file on which a row begins; a value in quotes may span several."""
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

    def _has_header(self, path: Path) -> bool:
        if self.names is None or self.header is not None:
            return self.header is not False
        with self._rows(path) as rows:
            first = list(islice(rows, _CHUNK))
        return begins_with_header(first, require_names(self.names, self, path), self, path)


csv = Csv


def _without_nulls(lines: Iterable[str], path: Path) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            reason = f"{path.name}, line {number}: a null character, which CSV text does not hold"
            raise DataError(reason, help="the file is damaged: fetch it again", argument="file")
        yield line
