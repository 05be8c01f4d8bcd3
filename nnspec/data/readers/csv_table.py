"""The values of a CSV table: numbers in memory, text read again when it is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nnspec.data.kinds import Column
from nnspec.data.readers.base import Table
from nnspec.data.readers.csv_numbers import Notation

if TYPE_CHECKING:
    from collections.abc import Collection

    from nnspec.data.readers.base import Rows, Values
    from nnspec.data.readers.csv import Csv

__all__ = ["CsvTable"]

_AT_ONCE = 2**24
"""The most texts that are read in one pass through the file, beside the column that is asked for."""

_EXACT = 2.0**53
"""The least number at which a float64 may stand for more than one whole number."""


class CsvTable(Table):
    """A table of texts and numbers.

    Args:
        reader: How it is read.
        path: The file.
    """

    def __init__(self, reader: Csv, path: Path) -> None:
        self._reader = reader
        self._path = path
        self._notation = Notation.of(reader)
        names = list(reader.columns({"file": path}))
        parts: list[list[NDArray[np.float64]] | None] = [[] for _ in names]
        self._rows = 0
        for chunk in reader.table(path):
            self._rows += len(chunk[0])
            for i, values in enumerate(chunk):
                part = parts[i]
                if part is not None:
                    numbers = self._notation.numbers(values)
                    if numbers is None:
                        parts[i] = None
                    else:
                        part.append(numbers)
        self._places = {name: i for i, name in enumerate(names)}
        self._values: dict[str, Values] = {
            name: np.concatenate(part) if part else np.empty(0)
            for name, part in zip(names, parts, strict=True)
            if part is not None
        }
        large = [
            name for name, values in self._values.items() if values.size and np.fmax.reduce(np.abs(values), initial=0) >= _EXACT
        ]
        if large:
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
            self._read_texts(column)
        return self._values[column][rows]

    def _read_texts(self, column: str) -> None:
        """Reads a column of text, and with it the others if they are not too many."""
        wanted = [name for name in self._places if name not in self._values]
        if len(wanted) * self._rows > _AT_ONCE:
            wanted = [column]
        missing = self._notation.missing
        for name, texts in self._texts(wanted).items():
            self._values[name] = texts
            texts[:] = [None if text in missing else text for text in texts]

    def _texts(self, names: Collection[str]) -> dict[str, Values]:
        """The texts of columns, without the spaces around them."""
        made = {name: np.empty(self._rows, object) for name in names}
        done = 0
        for chunk in self._reader.table(self._path):
            for name, values in made.items():
                values[done : done + len(chunk[0])] = [text.strip() for text in chunk[self._places[name]]]
            done += len(chunk[0])
        return made

    def _keep_digits(self, names: list[str]) -> None:
        """Makes int64 of whole numbers that float64 would round, and text of those that int64 does not hold either."""
        for name, texts in self._texts(names).items():
            if not all(text.lstrip("+-").isdecimal() for text in texts):
                continue
            whole = [int(text) for text in texts]
            if all(-(2**63) <= number < 2**63 for number in whole):
                self._values[name] = np.array(whole, np.int64)
            elif any(int(float(number)) != number for number in whole):
                del self._values[name]

    def is_number(self, text: str) -> bool:
        return self._notation.is_number(text)

    def mend(self, column: str, texts: Collection[str]) -> str:
        from nnspec.data.readers.csv_advice import mended

        return mended(self._reader, self._path, column, texts, [name for name in self._places if name in self._numeric])

    def where(self, column: str, row: int) -> str:
        return f"{self._path.name}, line {self._reader.line(self._path, row)}, column `{column}`"
