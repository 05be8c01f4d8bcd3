"""The first rows of a table, as plain Python values: what a draft is based on."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, cast

from nnspec.data.folders import examples_in
from nnspec.data.kinds import DataError
from nnspec.data.missing_texts import missing_among
from nnspec.data.readers import READERS
from nnspec.data.readers.base import Reader
from nnspec.data.readers.csv import Csv
from nnspec.data.readers.csv_numbers import NOTATIONS, Notation, are_rounded
from nnspec.data.text_files import Encoding, open_text, undecodable
from nnspec.drafting.yaml_text import can_be_written

_MOST_ROWS = 100_000
_MOST_CELLS = 2_000_000
_MOST_CHARACTERS = 2**26
"""The limits on what is read of a table."""

_DIALECT_ROWS = 100
_DELIMITERS = (",", ";", "\t", "|")

Value = str | float | list[str] | None
"""A text, a number, a list of tokens, or None for a missing value."""


@dataclass(frozen=True)
class TableSample:
    """The first rows of a table.

    Attributes:
        reader: The name of its reader.
        arguments: The reader's arguments without the file.
        columns: The values of each column that can be used.
        refused: Why each other column cannot be used.
        is_complete: Whether these are all rows.
    """

    reader: str
    arguments: Mapping[str, Any]
    columns: Mapping[str, Sequence[Value]]
    refused: Mapping[str, str]
    is_complete: bool

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(next(iter(self.columns.values()), ()))


def opened(reader: str, arguments: Mapping[str, Any]) -> Reader:
    """Return a reader with its arguments."""
    return cast("Reader", READERS.get(reader).model_validate(arguments))


def main_argument(reader: str) -> str:
    """Return the argument of a reader that names its file."""
    return str(READERS.get(reader).main_argument)


def read_sample(path: Path, reader: str) -> TableSample:
    """Read the first rows of a table.

    Args:
        path: The file.
        reader: ``csv``, ``jsonl`` or ``parquet``; or ``text`` for a folder of texts.

    Raises:
        DataError: If the file cannot be read, or has no rows.
    """
    sample = _csv_sample(path) if reader == "csv" else _text_sample(path) if reader == "text" else _typed_sample(path, reader)
    if not sample.rows:
        raise DataError(f"{path.name} has no rows", help="a row is an example: one line after the header")
    return sample


# --- CSV --------------------------------------------------------------------------------------------------------------


def _csv_sample(path: Path) -> TableSample:
    arguments = _csv_arguments(path)
    reader = Csv.model_validate({"file": path.name, **arguments})
    names = list(reader.columns({"file": path}))
    texts, is_complete = _first_rows(reader, path, len(names))
    notation, marks = _notation(texts, Notation.of(reader))
    if marks:
        used = {text for column in texts for text in column} & ({*reader.missing} - {""})
        arguments["missing"] = [*sorted(used), *(mark for mark in marks if mark not in used)]
    default = Notation.of(reader)
    for name, value in (("decimal", notation.decimal), ("thousands", notation.thousands)):
        if value != getattr(default, name):
            arguments[name] = value
    known = Notation(notation.decimal, notation.thousands, default.missing | {*marks})
    columns = {name: _values(column, known) for name, column in zip(names, texts, strict=True)}
    return TableSample("csv", arguments, columns, {}, is_complete)


def _csv_arguments(path: Path) -> dict[str, Any]:
    """Find the encoding, the delimiter and the header of a file."""
    arguments: dict[str, Any] = {}
    for encoding in (None, "cp1252", "latin-1"):
        try:
            rows = _start(path, ",", encoding)
            break
        except UnicodeDecodeError:
            arguments["encoding"] = "cp1252" if encoding is None else "latin-1"
    if not rows:
        raise DataError(f"{path.name} is empty", help="the first line must be a header with the column names")
    default = Csv.model_validate({"file": path.name}).separator
    widths = {delimiter: _width(_start(path, delimiter, encoding)) for delimiter in _DELIMITERS}
    delimiter = max(widths, key=lambda each: (widths[each], each == default))
    if delimiter != default and widths[delimiter] > widths[default]:
        arguments["delimiter"] = delimiter
    else:
        delimiter = default
    rows = _start(path, delimiter, encoding)
    return arguments | _header_arguments(rows)


def _start(path: Path, delimiter: str, encoding: Encoding | None) -> list[list[str]]:
    """Split the first lines; a damaged line ends them, since the reader reports it with its place."""
    with open_text(path, "CSV text", _MOST_CHARACTERS, encoding=encoding) as file:
        lines = (line for line in islice(file, 10 * _DIALECT_ROWS) if "\0" not in line)
        rows: list[list[str]] = []
        try:
            for row in csv.reader(lines, delimiter=delimiter):
                rows += [row] if row else []
                if len(rows) > _DIALECT_ROWS:
                    break
        except csv.Error:
            pass
        return rows


def _width(rows: Sequence[Sequence[str]]) -> int:
    """The number of columns if most rows have as many as the first; else 1."""
    first = len(rows[0]) if rows else 1
    return first if sum(len(row) == first for row in rows) > 0.9 * len(rows) else 1


def _header_arguments(rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Name columns that have no usable names in the header."""
    first = [cell.strip() for cell in rows[0]]
    plain = Notation.of(Csv.model_validate({"file": ""}))
    above = [
        cell
        for place, cell in enumerate(first)
        if plain.is_number(cell)
        and all(plain.is_number(row[place]) or plain.is_missing(row[place]) for row in rows[1:] if len(row) > place)
    ]
    if len(rows) > 1 and above and len(above) >= len(first) / 2:
        return {"names": [f"column{number}" for number in range(1, len(first) + 1)], "header": False}
    names: dict[str, None] = {}
    for number, cell in enumerate(first, 1):
        name = base = cell if cell and can_be_written(cell) else f"column{number}"
        again = 2
        while name in names:
            name, again = f"{base}_{again}", again + 1
        names[name] = None
    return {} if list(names) == first else {"names": list(names), "header": True}


def _first_rows(reader: Csv, path: Path, width: int) -> tuple[list[list[str]], bool]:
    """The texts of each column, without surrounding spaces, and whether these are all rows."""
    most = min(_MOST_ROWS, max(_MOST_CELLS // max(width, 1), 100))
    columns: list[list[str]] = [[] for _ in range(width)]
    characters = 0
    for chunk in reader.table(path):
        for column, texts in zip(columns, chunk, strict=True):
            column.extend(text.strip() for text in texts)
            characters += sum(map(len, texts))
        if len(columns[0]) > most:
            return [column[:most] for column in columns], False
        if characters > _MOST_CHARACTERS:
            return columns, False
    return columns, True


def _notation(columns: Sequence[Sequence[str]], default: Notation) -> tuple[Notation, list[str]]:
    """The notation in which most columns are numbers, and the texts that mean missing values in these columns."""
    distinct = [set(column) for column in columns]
    best, most, marks = default, -1, list[str]()
    for decimal, thousands in ((default.decimal, default.thousands), *NOTATIONS):
        tried = Notation(decimal, thousands, default.missing)
        found = [_marks(texts, tried) for texts in distinct]
        numeric = sum(each is not None for each in found)
        if numeric > most:
            best, most = tried, numeric
            marks = sorted({mark for each in found for mark in each or ()})
    return best, marks


def _marks(texts: set[str], notation: Notation) -> list[str] | None:
    """The texts of a column of numbers that mean missing values; None for a column of text."""
    others = [text for text in texts if not notation.is_number(text) and not notation.is_missing(text)]
    numbers = len(texts) - len(others)
    marks = missing_among(others, numbers) if others else []
    infinite = [text for text in texts if "inf" in text.lower() and notation.is_infinite(text)]
    return [*marks, *infinite] if numbers and len(marks) == len(others) else None


def _values(texts: Sequence[str], notation: Notation) -> list[Value]:
    numbers = notation.numbers(texts)
    if numbers is None or are_rounded(texts):
        return [None if text in notation.missing else text for text in texts]
    return [None if math.isnan(number) else number for number in numbers.tolist()]


# --- tables with types ------------------------------------------------------------------------------------------------


def _typed_sample(path: Path, name: str) -> TableSample:
    main = main_argument(name)
    table = opened(name, {main: path.name}).open({main: path})
    most = min(_MOST_ROWS, max(_MOST_CELLS // max(len(table.columns), 1), 100))
    columns: dict[str, Sequence[Value]] = {}
    refused: dict[str, str] = {}
    for column, kind in table.columns.items():
        if kind.refused:
            refused[column] = kind.refused
        elif kind.shape and not kind.is_token_list:
            refused[column] = "has lists of numbers; add an input of their shape"
        else:
            columns[column] = list(_plain(table.read(column, slice(0, most)).tolist()))
    return TableSample(name, {}, columns, refused, len(table) <= most)


def _text_sample(folder: Path) -> TableSample:
    """The texts of a folder with class folders; of many, some of every class."""
    found = examples_in(folder, (".txt",), argument="path")
    if not found.classes:
        raise DataError(f"{folder} has no class folders", help="put the texts of each class into a folder of its name")
    total = sum(path.stat().st_size for path in found.paths)
    every = max(1, -(-total // _MOST_CHARACTERS), -(-len(found.paths) // _MOST_ROWS))
    paths, labels = found.paths[::every], found.labels[::every]
    texts: list[Value] = []
    for path in paths:
        with open_text(path, "text", _MOST_CHARACTERS, argument="path") as file:
            try:
                texts.append(file.read())
            except UnicodeDecodeError as error:
                raise undecodable(path, error, _MOST_CHARACTERS, "save it as UTF-8", argument="path") from None
    columns: dict[str, Sequence[Value]] = {"text": texts, "label": [found.classes[label] for label in labels]}
    return TableSample("text", {}, columns, {}, every == 1)


def _plain(values: Sequence[Any]) -> Iterator[Value]:
    for value in values:
        if isinstance(value, bool):
            yield float(value)
        elif isinstance(value, float) and math.isnan(value):
            yield None
        elif value is None or isinstance(value, str | list):
            yield value
        else:
            yield float(value) if isinstance(value, int | float) else str(value)
