"""The values of a CSV table: numbers as arrays, text columns as compact blocks that are decoded when they are read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.data_files import DataFile
from nnspec.data.kinds import Column
from nnspec.data.missing_texts import missing_among
from nnspec.data.readers.base import Table
from nnspec.data.readers.csv_numbers import NOTATIONS, Notation, are_rounded
from nnspec.spec.dumping import flow

if TYPE_CHECKING:
    from nnspec.data.readers.base import Rows, Values
    from nnspec.data.readers.csv import Csv

_EXACT = 2.0**53
"""From this number on, float64 does not represent every integer."""


class CsvTable(Table):
    """A table of text and numbers.

    The file is parsed once. Only if a column turns out to be text, or to have integers that float64 rounds, after its first
    rows were converted to numbers, is the text of all such columns read in one second pass.

    Args:
        reader: The reader's arguments.
        path: The file.
    """

    def __init__(self, reader: Csv, path: DataFile) -> None:
        self._reader = reader
        self._path = path
        self._notation = Notation.of(reader)
        parsed = {name: _ParsedColumn(is_text=name in reader.text_columns) for name in reader.columns({"file": path})}
        self._rows = 0
        for chunk in reader.table(path):
            self._rows += len(chunk[0])
            for column, texts in zip(parsed.values(), chunk, strict=True):
                column.add(texts, self._notation)
        self._places = {name: i for i, name in enumerate(parsed)}
        self._texts = {name: column.texts for name, column in parsed.items() if column.is_text}
        self._values: dict[str, Values] = {
            name: np.concatenate(column.numbers) if column.numbers else np.empty(0)
            for name, column in parsed.items()
            if not column.is_text
        }
        late = [name for name, column in parsed.items() if column.is_text and not column.is_whole]
        large = [
            name for name, values in self._values.items() if values.size and np.fmax.reduce(np.abs(values), initial=0) >= _EXACT
        ]
        if late or large:
            self._texts |= self._parse_texts([*late, *large])
            self._keep_digits(large)
        self._numeric = frozenset(self._values)
        text = Column((), "text")
        self.columns = {
            name: Column((), self._values[name].dtype.name) if name in self._values else text for name in self._places
        }

    def __len__(self) -> int:
        return self._rows

    def read(self, column: str, rows: Rows) -> Values:
        if column not in self._values:
            missing = self._notation.missing
            texts = self._texts.pop(column).unpacked(self._rows)
            texts[:] = [None if text in missing else text for text in texts]
            self._values[column] = texts
        return self._values[column][rows]

    def _parse_texts(self, names: Collection[str]) -> dict[str, _Texts]:
        """Parse the file again for the text of some columns."""
        found = {name: _Texts() for name in names}
        for chunk in self._reader.table(self._path):
            for name, texts in found.items():
                texts.add(chunk[self._places[name]])
        return found

    def _keep_digits(self, names: Collection[str]) -> None:
        """Convert columns of integers that float64 rounds to int64, or to text if int64 overflows."""
        for name in names:
            packed = self._texts.pop(name)
            texts = packed.unpacked(self._rows)
            if not all(text.lstrip("+-").isdecimal() for text in texts):
                continue
            if are_rounded(texts):
                del self._values[name]
                self._texts[name] = packed
                continue
            with suppress(OverflowError):
                self._values[name] = np.array([int(text) for text in texts], np.int64)

    def is_number(self, text: str) -> bool:
        return self._notation.is_number(text)

    def mend(self, column: str, texts: Collection[str]) -> str:
        from nnspec.data.readers.csv_table import mended

        return mended(self._reader, self._path, column, texts, [name for name in self._places if name in self._numeric])

    def where(self, column: str, row: int) -> str:
        return f"{self._path.name}, line {self._reader.line(self._path, row)}, column `{column}`"


class _Texts:
    """The text of a column, one UTF-8 block for each chunk: far smaller than a string for each row."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def add(self, texts: Sequence[str]) -> None:
        # The reader refuses null characters, so that they can separate the texts.
        self._blocks.append("\0".join(texts).encode())

    def unpacked(self, rows: int) -> Values:
        """The texts without surrounding spaces, as an array of strings."""
        found = np.empty(rows, object)
        done = 0
        for block in self._blocks:
            texts = [text.strip() for text in block.decode().split("\0")]
            found[done : done + len(texts)] = texts
            done += len(texts)
        return found


class _ParsedColumn:
    """A column as far as the file has been parsed: numbers until a chunk has other text, then text.

    Attributes:
        numbers: The numbers of each chunk; None if the column is text.
        texts: The text of the chunks from the first that is not all numbers.
        is_whole: Whether `texts` starts with the first chunk.
    """

    def __init__(self, *, is_text: bool = False) -> None:
        self.numbers: list[NDArray[np.float64]] | None = None if is_text else []
        self.texts = _Texts()
        self.is_whole = True

    @property
    def is_text(self) -> bool:
        """Whether the column has text that is not a number."""
        return self.numbers is None

    def add(self, texts: Sequence[str], notation: Notation) -> None:
        """Add the next chunk."""
        if self.numbers is not None:
            converted = notation.numbers(texts)
            if converted is not None:
                self.numbers.append(converted)
                return
            self.is_whole = not self.numbers
            self.numbers = None
        if self.is_whole:
            self.texts.add(texts)


def _written(reader: Csv, **arguments: Any) -> str:
    """Return the reader as a spec writes it, with changed arguments."""
    given = reader.model_dump(exclude_unset=True) | arguments
    return f"csv: {flow(given)}"


def mended(reader: Csv, path: DataFile, column: str, texts: Collection[str], numeric: Collection[str]) -> str:
    """Suggest arguments that make the texts of a column numbers or missing values.

    Args:
        reader: The reader.
        path: The file.
        column: The column.
        texts: Its distinct texts that are not numbers; empty if its infinite numbers are the problem.
        numeric: The numeric columns, which must stay numeric.

    Returns:
        A clause for a help, empty if no argument helps.
    """
    notation = Notation.of(reader)
    found, used_marks = _scanned(reader, path, {column, *numeric})
    own = found.pop(column)
    texts = texts or [text for text in own if notation.is_infinite(text)]
    missing = missing_among(texts, sum(map(notation.is_number, own)))
    if all(map(notation.is_number, texts)):
        missing = sorted(texts)
    arguments: dict[str, Any] = {}
    if set(texts) - {*missing}:
        better = _notation(own, list(found.values()), notation)
        if better is None:
            return ""
        changed = {"decimal": better.decimal, "thousands": better.thousands}
        arguments |= {name: value for name, value in changed.items() if value != getattr(reader, name)}
        missing = missing_among(_not_numbers(own, better), sum(map(better.is_number, own)))
    if missing:
        arguments["missing"] = [*used_marks, *missing]
    return f"write `{_written(reader, **arguments)}`" if arguments else ""


def _not_numbers(texts: Collection[str], notation: Notation) -> list[str]:
    return [text for text in texts if not notation.is_number(text) and not notation.is_missing(text)]


def _notation(own: Collection[str], others: Collection[Collection[str]], used: Notation) -> Notation | None:
    """Return the notation in which most texts of a column are numbers and the other columns stay numeric, if any.

    Texts that are still not numbers must be the exception: one word in a column of prices is a damaged value, but one
    number in a column of words does not make it numeric.
    """
    best, least = None, min(len(_not_numbers(own, used)), len(own) / 2)
    for decimal, thousands in NOTATIONS:
        tried = Notation(decimal, thousands, used.missing)
        left = _not_numbers(own, tried)
        damaged = len(left) - len(missing_among(left, len(own) - len(left)))
        if damaged < least and not any(_not_numbers(texts, tried) for texts in others):
            best, least = tried, damaged
    return best


def _scanned(reader: Csv, path: DataFile, columns: Collection[str]) -> tuple[dict[str, set[str]], list[str]]:
    """Return the distinct texts of some columns, and which texts of `missing` occur anywhere in the table."""
    places = {name: i for i, name in enumerate(reader.columns({"file": path})) if name in columns}
    found: dict[str, set[str]] = {name: set() for name in places}
    known = set(reader.missing) - {""}
    used: set[str] = set()
    for chunk in reader.table(path):
        for name, i in places.items():
            found[name].update(text.strip() for text in chunk[i])
        for texts in chunk:
            used |= known.intersection(texts)
    return found, sorted(used)
