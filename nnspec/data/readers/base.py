"""What a reader is: arguments, columns that can be told without reading the data, and a table with random access."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from nnspec.data.kinds import Column
from nnspec.types import Config

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = slice | NDArray[np.integer[Any]]
    Values = NDArray[Any]

__all__ = ["Files", "Reader", "Table"]

Files = Mapping[str, Path]
"""The files a reader reads, by the argument that names each."""


class Table(Protocol):
    """Rows of named columns, any of which can be read at any time.

    Attributes:
        columns: What stands in each column.
    """

    @property
    def columns(self) -> Mapping[str, Column]: ...

    def __len__(self) -> int: ...

    def read(self, column: str, rows: Rows) -> Values:
        """The values of some rows, in their order: a first axis for the rows, then the column's shape.

        Args:
            column: One of `columns`; what its dtype calls text comes as an array of Python strings, None where missing.
            rows: A slice, or row numbers from 0.

        Raises:
            DataError: Where a value cannot be read.
        """

    def where(self, column: str, row: int) -> str:
        """The place of one value, for a message: ``data/train.csv, line 12, column `age` ``."""


class Reader(Config):
    """How data are read. A subclass is final, and all that is true of a format stands in its file."""

    paths: ClassVar[tuple[str, ...]] = ()
    """The arguments that are paths."""

    def columns(self, files: Files) -> dict[str, Column]:
        """The columns, from the files' headers alone; no framework and no NumPy is loaded.

        Raises:
            DataError: Where a header is not what it should be.
        """
        raise NotImplementedError

    def open(self, files: Files) -> Table:
        """The table.

        Raises:
            DataError: Where the files are not what they should be.
        """
        raise NotImplementedError
