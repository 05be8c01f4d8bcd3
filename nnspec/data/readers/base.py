"""What a reader is: arguments, columns that can be told without reading the data, and a table with random access."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from nnspec.data.kinds import Column, DataError, DataWarning
from nnspec.data.paths import find_file
from nnspec.types import Config

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = slice | NDArray[np.integer[Any]]
    Values = NDArray[Any]

__all__ = ["Files", "Reader", "Table", "Timeline"]

Files = Mapping[str, Path]
"""The files a reader reads, by the argument that names each."""


@dataclass(frozen=True)
class Timeline:
    """Where the rows of a table lie in time, if each row is a window. Places of different series do not overlap.

    Attributes:
        series: The series of each row, (rows,).
        begin: The place of the first value of each row.
        future: The place of its first value in the future.
        end: The place behind its last value.
    """

    series: NDArray[np.int64]
    begin: NDArray[np.int64]
    future: NDArray[np.int64]
    end: NDArray[np.int64]


class Table:
    """Rows of named columns, any of which can be read at any time.

    Attributes:
        columns: What stands in each column.
        lazy: The columns of which some rows cost no more than their share of all: those that are too large for memory are
            read as they are used.
        timeline: Where each row lies in time; None if rows have no such order.
        series: The number of the series each row is of; None if the table is not divided into series.
        series_labels: What identifies each series: the values of the columns it is told apart by.
        pictures: The columns that hold pictures from files, 0 to 255.
    """

    columns: Mapping[str, Column]
    lazy: Collection[str] = ()
    timeline: Timeline | None = None
    series: NDArray[np.int64] | None = None
    series_labels: tuple[tuple[str, ...], ...] = ()
    pictures: Collection[str] = ()

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

    def is_number(self, text: str) -> bool:
        """Whether a text is a number, as this table writes numbers."""
        try:
            float(text)
        except ValueError:
            return False
        return text.isascii() and "_" not in text

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

    def warnings(self) -> Iterable[DataWarning]:
        """What is probably not meant, although the data can be used. It may read whole columns."""
        return ()


class Reader(Config):
    """How data are read. A subclass is final, and all that is true of a format stands in its file."""

    paths: ClassVar[tuple[str, ...]] = ()
    """The arguments that are paths."""

    folders: ClassVar[Collection[str]] = ()
    """Those of them that may be folders."""

    added: ClassVar[frozenset[str]] = frozenset()
    """Arguments that are newer than the others: at their defaults they leave the fingerprint of data as it was without them."""

    @property
    def series_columns(self) -> tuple[str, ...]:
        """The columns of the file whose values tell several series apart."""
        return ()

    not_of_values: ClassVar[Collection[str]] = ()
    """The arguments that say which data are read, or how many at most, and change no value."""

    @property
    def spec_name(self) -> str:
        """Its name in a spec."""
        return type(self).__name__.lower()

    def value_arguments(self) -> dict[str, Any]:
        """The arguments that change values, as plain JSON; those of a reader that it reads with, under its name.

        An argument is one of them unless its reader says otherwise, in `paths` or in `not_of_values`. One that came with a
        later version is named only if it is given: an earlier one does not know it.
        """
        own = {argument for argument in type(self).model_fields if argument not in (*self.paths, *self.not_of_values)}
        fields = type(self).model_fields
        own -= {argument for argument in self.added if getattr(self, argument) == fields[argument].default}
        nested = {argument: value for argument in own if isinstance(value := getattr(self, argument), Reader)}
        empty = {argument for argument in own - nested.keys() if self._takes_reader(argument)}
        told = self.model_dump(mode="json", include=own - nested.keys() - empty)
        return told | {argument: told_of_it for argument, reader in nested.items() if (told_of_it := reader.value_arguments())}

    @classmethod
    def _takes_reader(cls, argument: str) -> bool:
        kinds = get_args(cls.model_fields[argument].annotation)
        return any(isinstance(kind, type) and issubclass(kind, Reader) for kind in kinds)

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
