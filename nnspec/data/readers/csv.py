"""Comma-separated values (RFC 4180) with a header line."""

from __future__ import annotations

import csv as text_format
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PrivateAttr, model_validator

from nnspec.data.data_files import DataFile
from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.base import Files, Reader, Table
from nnspec.data.readers.csv_numbers import Notation
from nnspec.data.text_files import Encoding, open_text, undecodable
from nnspec.layers.scalars import Flag, PositiveInt
from nnspec.spec.dumping import flow

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
    """A text table, optionally compressed with gzip.

    A column is numeric if all of its values are numbers, otherwise text. A column whose first transform is `tokenize` is
    text, also if it consists of digits.
    """

    main_argument: ClassVar[str | None] = "file"
    paths: ClassVar[tuple[str, ...]] = ("file",)
    added: ClassVar[frozenset[str]] = frozenset({"quote", "decimal", "thousands", "header", "encoding", "max_bytes"})
    not_of_values: ClassVar[tuple[str, ...]] = ("names", "header", "max_bytes")

    file: str = Field(description="The file.", examples=["data/train.csv"])
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

    _texts: frozenset[str] = PrivateAttr(frozenset())

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

    def reading_text(self, columns: Collection[str]) -> Csv:
        """Return a reader that does not convert some columns to numbers: `007` stays three characters.

        Example:
            >>> reader = Csv(file="strings.csv").reading_text(["source"])
            >>> sorted(reader.text_columns)
            ['source']
        """
        copy = self.model_copy()
        copy._texts = frozenset(columns)
        return copy

    @property
    def text_columns(self) -> frozenset[str]:
        """The columns that are text whatever their values are; the table need not have them."""
        return self._texts

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


_MOST_SHOWN = 16
_SCANNED = 32


def require_names(names: Sequence[str] | None, reader: Csv, path: DataFile) -> list[str]:
    """Return the column names without surrounding spaces.

    Raises:
        DataError: If there are none, or if a name is empty or repeated.
    """
    if not names:
        raise DataError(f"{path.name} is empty", help="the first line must be a header with the column names", argument="file")
    names = [name.strip() for name in names]
    if reader.names is None:
        _refuse_no_header(names, reader, path)
    seen: set[str] = set()
    for position, name in enumerate(names, 1):
        if not name or name in seen:
            reason = f" has two columns `{name}`" if name else f": column {position} has no name"
            raise DataError(f"{path.name}{reason}", help=_other_names(names, reader), argument="file")
        seen.add(name)
    return names


def _refuse_no_header(names: Sequence[str], reader: Csv, path: DataFile) -> None:
    """Raise DataError if the first line is not a header."""
    first = names[0]
    if first.startswith(("[{", '{"')):
        raise DataError(f"{path.name} is JSON, not CSV text", help=f"read it with `jsonl: {reader.file}`", argument="file")
    if first.startswith("sep=") or (len(names) == 1 and first.startswith("#") and len(first) > 1):
        reason = f"{path.name} starts with the line `{first[:40]}`, which is not a header"
        raise DataError(reason, help="remove the line", argument="file")
    if len(names) == 1:
        other = next((d for d in (";", "\t", "|", ",") if d in first), None)
        if other is not None:
            raise DataError(f"{path.name} has one column", help=f"write `delimiter: {flow(other)}`", argument="file")


def _other_names(names: Sequence[str], reader: Csv) -> str:
    """Return a help that replaces unusable names."""
    if reader.names is not None:
        return "give each column a unique name under `names`"
    if len(names) > _MOST_SHOWN:
        return f"write `header: true`, and `names` with a name for each of the {len(names)} columns"
    unique: dict[str, None] = {}
    taken = set(names)
    for position, name in enumerate(names, 1):
        new = name or f"column{position}"
        number = 2
        while new in unique or (new != name and new in taken):
            new = f"{name or f'column{position}'}_{number}"
            number += 1
        unique[new] = None
    return f"write `names: {flow(list(unique))}` and `header: true` to replace the header's names"


def begins_with_header(rows: Sequence[Sequence[str]], names: Sequence[str], reader: Csv, path: DataFile) -> bool:
    """Return whether the first row is a header that `names` replace, for a spec that does not set `header`.

    Raises:
        DataError: If the row could be either a header or data.
    """
    if not rows or len(rows[0]) != len(names):
        return False
    first = [cell.strip() for cell in rows[0]]
    notation = Notation.of(reader)
    numeric = any(map(notation.is_number, first))
    named = any(cell == name and not notation.is_number(cell) for cell, name in zip(first, names, strict=True))
    if named and not numeric:
        return True
    rest = [row for row in rows[1:] if len(row) == len(names)]
    columns = [(first[i], Counter(row[i].strip() for row in rest)) for i in range(min(len(names), _SCANNED)) if rest]
    above_numbers = any(_is_above_numbers(cell, others, notation) for cell, others in columns)
    if named or above_numbers or (not numeric and any(_is_above_classes(*column) for column in columns)):
        shown = reader.separator.join(first[:8])
        reason = f"{path.name} may start with a header, `{shown[:80]}`, but `names` are given without `header`"
        help = "write `header: true` if the first line is a header, `header: false` if it is data"
        raise DataError(reason, help=help, argument="names")
    return False


def _is_above_numbers(cell: str, others: Counter[str], notation: Notation) -> bool:
    if notation.is_missing(cell) or notation.is_number(cell):
        return False
    found = [text for text in others if not notation.is_missing(text)]
    return bool(found) and all(map(notation.is_number, found))


def _is_above_classes(cell: str, others: Counter[str]) -> bool:
    """Return whether the text is unique in its column and every other text repeats."""
    return cell not in others and len(others) > 1 and min(others.values()) > 1
