"""The values of a CSV table: numbers as arrays, text columns as compact blocks that are decoded when they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nnspec.data.data_files import DataFile
from nnspec.data.kinds import Column
from nnspec.data.readers.base import Table
from nnspec.data.readers.csv_numbers import Notation

if TYPE_CHECKING:
    from collections.abc import Collection

    from nnspec.data.readers.base import Rows, Values
    from nnspec.data.readers.csv import Csv

__all__ = ["CsvTable"]

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
        parsed = {name: _ParsedColumn() for name in reader.columns({"file": path})}
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
            whole = [int(text) for text in texts]
            if all(-(2**63) <= number < 2**63 for number in whole):
                self._values[name] = np.array(whole, np.int64)
            elif any(int(float(number)) != number for number in whole):
                del self._values[name]
                self._texts[name] = packed

    def is_number(self, text: str) -> bool:
        return self._notation.is_number(text)

    def mend(self, column: str, texts: Collection[str]) -> str:
        from nnspec.data.readers.csv_advice import mended

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

    def __init__(self) -> None:
        self.numbers: list[NDArray[np.float64]] | None = []
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
