"""What a reader is: arguments, columns that can be told without reading the data, and a table with random access."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nnspec.data.kinds import Column, DataError
from nnspec.data.paths import find_file
from nnspec.types import Config

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = slice | NDArray[np.integer[Any]]
    Values = NDArray[Any]

__all__ = ["Files", "Reader", "Table"]

Files = Mapping[str, Path]
"""The files a reader reads, by the argument that names each."""


class Table:
    """Rows of named columns, any of which can be read at any time.

    Attributes:
        columns: What stands in each column.
        lazy: The columns of which some rows cost no more than their share of all: those that are too large for memory are
            read as they are used.
        order: None, or the number of rows that a row in the order of time shares values with: what is behind a row by
            more has nothing of it.
    """

    columns: Mapping[str, Column]
    lazy: Collection[str] = ()
    order: int | None = None

    def __len__(self) -> int:
        raise NotImplementedError

    def read(self, column: str, rows: Rows) -> Values:
        """The values of some rows, in their order: a first axis for the rows, then the column's shape.

        Args:
            column: One of `columns`; what its dtype calls text comes as an array of Python strings, None where missing.
            rows: A slice, or row numbers from 0.

        Raises:
            DataError: Where a value cannot be read.
        """
        raise NotImplementedError

    def where(self, column: str, row: int) -> str:
        """The place of one value, for a message: ``data/train.csv, line 12, column `age` ``."""
        raise NotImplementedError

    def mend(self, column: str, texts: Collection[str]) -> str:
        """What to write in the spec so that the reader takes texts of a column for numbers or for missing values.

        Args:
            column: One of `columns`.
            texts: The texts of the column that are no numbers, each once; none if its infinite numbers cannot be used.

        Returns:
            A clause such as ``write `csv: {file: a.csv, missing: ["?"]}` ``; empty if no argument of the reader helps.
        """
        del column, texts
        return ""


class Reader(Config):
    """How data are read. A subclass is final, and all that is true of a format stands in its file."""

    paths: ClassVar[tuple[str, ...]] = ()
    """The arguments that are paths."""

    folders: ClassVar[Collection[str]] = ()
    """Those of them that may be folders."""

    def named_paths(self) -> dict[str, str]:
        """The paths that are given, by the argument that names each."""
        return {argument: text for argument in self.paths if (text := getattr(self, argument)) is not None}

    def find(self, argument: str, folder: Path, root: Path) -> Path:
        """What the path under an argument stands for.

        Raises:
            MissingFileError: Where nothing is there.
            DataError: Where it may not be read.
        """
        return find_file(self.named_paths()[argument], folder, root, or_folder=argument in self.folders)

    def columns(self, files: Files) -> dict[str, Column]:
        """The columns, from the files' headers alone; no framework and no NumPy is loaded.

        Raises:
            DataError: Where a header is not what it should be.
        """
        raise NotImplementedError

    def arguments_to_fit(self, files: Files, made: Column, wanted: Sequence[object]) -> str:
        """The arguments with which a column would have another shape, as a clause for a help; empty if there are none.

        Args:
            files: The files.
            made: What the column becomes.
            wanted: The shape that an input has; sizes that are not numbers may be anything.
        """
        del files, made, wanted
        return ""

    def doubts(self, files: Files, used: Collection[str]) -> Iterable[DataError]:
        """What is probably not meant so, by the files' names and headers alone.

        Args:
            files: The files.
            used: The columns that the spec uses.
        """
        del files, used
        return ()

    def open(self, files: Files) -> Table:
        """The table.

        Raises:
            DataError: Where the files are not what they should be.
        """
        raise NotImplementedError
