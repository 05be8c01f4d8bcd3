"""The base classes of readers and of the tables that they open."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, get_args

from nnspec.data.data_files import DataFile, MemoryFile
from nnspec.data.kinds import Column, DataError, DataWarning
from nnspec.data.locating import find_data
from nnspec.types import Config

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnspec.data.image_frames import ImageFrames

    Rows = slice | NDArray[np.integer[Any]]
    Values = NDArray[Any]

Files = Mapping[str, DataFile]
"""The files that a reader opens, by argument."""


def path_of(files: Files, argument: str) -> Path:
    """Return the path of an argument that must be on disk.

    Raises:
        DataError: If it is not: a file in memory, an object at a URL, or several files.
    """
    file = files[argument]
    if not isinstance(file, Path):
        what = "a file in memory" if isinstance(file, MemoryFile) else f"the file `{file.name}`"
        raise DataError(f"`{argument}` must be a path, not {what}", argument=argument)
    return file


@dataclass(frozen=True)
class Timeline:
    """The positions of windows in time. Positions of different series do not overlap.

    Attributes:
        series: The series of each row, shape (rows,).
        begin: The position of the first value of each row.
        future: The position of its first value in the horizon.
        end: The position after its last value.
    """

    series: NDArray[np.int64]
    begin: NDArray[np.int64]
    future: NDArray[np.int64]
    end: NDArray[np.int64]


@dataclass(frozen=True)
class RowGroups:
    """The groups of rows that a table reads at once.

    Attributes:
        starts: The first row of each group, and the number of rows at the end.
        mixed: The number of groups whose rows are mixed when they are shuffled.
    """

    starts: NDArray[np.int64]
    mixed: int

    def of(self, rows: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Return the number of the group of each row."""
        numbers: NDArray[np.int64] = self.starts.searchsorted(rows, "right") - 1
        return numbers


class Table:
    """Rows of named columns with random access.

    Attributes:
        columns: The type of each column.
        lazy: The columns from which rows can be read one batch at a time. If they do not fit in memory, they are read when
            they are used.
        timeline: The position of each row in time; None if rows are not windows of a series.
        series: The index of the series of each row; None if the table is not divided into series.
        series_labels: The values that identify each series, one for each column of the reader's `by`.
        image_columns: The columns of images from files, with values from 0 to 255.
        image_paths: The image file of each row; empty if the rows are not image files.
        groups: The groups of rows that are read at once; None if any row can be read on its own.
    """

    columns: Mapping[str, Column]
    lazy: Collection[str] = ()
    timeline: Timeline | None = None
    series: NDArray[np.int64] | None = None
    series_labels: tuple[tuple[str, ...], ...] = ()
    image_columns: Collection[str] = ()
    pads_images: bool = False
    """Whether images were padded to keep their aspect ratio."""
    image_paths: Sequence[Path] = ()
    groups: RowGroups | None = None

    def __len__(self) -> int:
        raise NotImplementedError

    def read(self, column: str, rows: Rows) -> Values:
        """Read some rows of a column, as an array of shape (rows, *column shape).

        Args:
            column: One of `columns`. Text is returned as an object array of strings, None for a missing value.
            rows: A slice, or an array of row indices.

        Raises:
            DataError: If a value cannot be read.
        """
        raise NotImplementedError

    def encoded(self, column: str, row: int) -> bytes | None:
        """Return the bytes of the image file that a value is decoded from; None if it is not decoded from one.

        Raises:
            DataError: If the file cannot be read.
        """
        del column, row
        return None

    def where(self, column: str, row: int) -> str:
        """Return the place of a value, for messages: ``data/train.csv, line 12, column `age` ``."""
        raise NotImplementedError

    def where_item(self, column: str, row: int, item: int) -> str:
        """Return the place of one item of a list, for messages."""
        return f"{self.where(column, row)}, item {item}"

    def image_sizes(self, column: str) -> NDArray[np.int64] | None:
        """Return the height and width of each image as stored, shape (rows, 2); None if the column has images as stored.

        Args:
            column: A column of images.
        """
        del column
        return None

    def image_frames(self, column: str) -> ImageFrames | None:
        """Return the places of images as stored in the images of a column; None if the size of those is not known.

        Args:
            column: A column of images.
        """
        import numpy as np

        from nnspec.data.image_frames import ImageFrames, Resized

        sizes: tuple[int | None, ...] = (*self.columns[column].shape, None, None)
        height, width = sizes[:2]
        if height is None or width is None:
            return None
        stored = self.image_sizes(column)
        if stored is None:
            stored = np.broadcast_to(np.array([height, width], np.int64), (len(self), 2))
        return ImageFrames.unchanged(stored).resized(Resized(height, width, self.pads_images))

    def is_number(self, text: str) -> bool:
        """Return whether a text is a number in this table's notation."""
        try:
            float(text)
        except ValueError:
            return False
        return text.isascii() and "_" not in text

    def mend(self, column: str, texts: Collection[str]) -> str:
        """Suggest reader arguments that make texts of a column numbers or missing values.

        Args:
            column: One of `columns`.
            texts: The distinct texts of the column that are not numbers; empty if its infinite numbers are the problem.

        Returns:
            A clause such as ``write `csv: {file: a.csv, missing: ["?"]}` ``, empty if no argument helps.
        """
        del column, texts
        return ""

    def distinct(self, columns: Collection[str], rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return rows without those that only repeat the values of earlier ones in some columns, as joined tables do."""
        del columns
        return rows

    def warnings(self) -> Iterable[DataWarning]:
        """Return likely mistakes in usable data. This may read whole columns."""
        return ()


class Reader(Config):
    """A data format. Its arguments are the fields of the subclass."""

    paths: ClassVar[tuple[str, ...]] = ()
    """The arguments that are paths."""

    folders: ClassVar[Collection[str]] = ()
    """The arguments of `paths` that may be folders."""

    added: ClassVar[frozenset[str]] = frozenset()
    """Arguments of later versions: at their defaults, they do not change the fingerprint of the data."""

    @property
    def series_columns(self) -> tuple[str, ...]:
        """The columns that identify the series of a row."""
        return ()

    not_of_values: ClassVar[Collection[str]] = ()
    """The arguments that select data or limit their size, and do not change values."""

    @property
    def members(self) -> Mapping[str, Reader]:
        """The readers whose rows it joins, by name; empty if it reads files itself."""
        return {}

    def with_members(self, members: Mapping[str, Reader]) -> Reader:
        """Return the reader with other members."""
        del members
        return self

    @property
    def missing_frame(self) -> str | None:
        """The name of a table in memory that it reads and that is not known; None if there is none."""
        return next((name for own in self.members.values() if (name := own.missing_frame) is not None), None)

    def with_frames(self, given: Mapping[str, Any]) -> Reader:
        """Return the reader with the tables in memory that it and its nested readers name.

        Args:
            given: A [`Frame`][nnspec.data.frames.Frame] for each name.
        """
        if self.members:
            return self.with_members({name: own.with_frames(given) for name, own in self.members.items()})
        nested = {name: own.with_frames(given) for name, own in self if isinstance(own, Reader)}
        return self.model_copy(update=nested) if nested and given else self

    def arguments(self) -> dict[str, Any]:
        """Return all arguments as JSON, including nested readers'; arguments added in later versions only if they are set."""
        given = self.model_dump(mode="json")
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if name in self.added and value == field.default:
                del given[name]
            elif isinstance(value, Reader):
                given[name] = value.arguments()
        return given

    def columns_without_files(self, columns: Collection[str]) -> Collection[str]:
        """Return the columns that are not read from files."""
        return () if self.named_paths() else columns

    @property
    def spec_name(self) -> str:
        """The reader's name in a spec."""
        return type(self).__name__.lower()

    def value_arguments(self) -> dict[str, Any]:
        """Return the arguments that change values, as JSON; those of a nested reader are under its name.

        These are all arguments except `paths` and `not_of_values`. Arguments of later versions are included only if they are
        given, since earlier versions do not know them.
        """
        own = {argument for argument in type(self).model_fields if argument not in (*self.paths, *self.not_of_values)}
        fields = type(self).model_fields
        own -= {argument for argument in self.added if getattr(self, argument) == fields[argument].default}
        nested = {argument: value for argument in own if isinstance(value := getattr(self, argument), Reader)}
        empty = {argument for argument in own - nested.keys() if self._takes_reader(argument)}
        arguments = self.model_dump(mode="json", include=own - nested.keys() - empty)
        return arguments | {name: inner for name, reader in nested.items() if (inner := reader.value_arguments())}

    def reading_text(self, columns: Collection[str]) -> Reader:
        """Return a reader for which some columns are text, also if a file has nothing but numbers in them.

        Only a file without types can be read so, such as a CSV file.

        Args:
            columns: The columns whose values are texts, as their transforms require.
        """
        nested = {
            name: own.reading_text(columns)
            for name in type(self).model_fields
            if isinstance(own := getattr(self, name), Reader)
        }
        return self.model_copy(update=nested) if columns and nested else self

    @classmethod
    def _takes_reader(cls, argument: str) -> bool:
        kinds = get_args(cls.model_fields[argument].annotation)
        return any(isinstance(kind, type) and issubclass(kind, Reader) for kind in kinds)

    def named_paths(self) -> dict[str, str]:
        """Return the given paths by argument."""
        return {argument: text for argument in self.paths if (text := getattr(self, argument)) is not None}

    def find(self, argument: str, folder: Path, root: Path) -> DataFile:
        """Find the file that an argument names.

        Raises:
            MissingFileError: If the file does not exist.
            DataError: If it may not be read.
        """
        return find_data(self.named_paths()[argument], folder, root, or_folder=argument in self.folders)

    def columns(self, files: Files) -> dict[str, Column]:
        """Return the columns, reading only headers and without importing NumPy or a framework.

        Raises:
            DataError: If a header is invalid.
        """
        raise NotImplementedError

    def arguments_to_fit(self, files: Files, column: Column, wanted: Sequence[object]) -> str:
        """Suggest arguments that give a column the shape of an input, as a clause; empty if there are none.

        Args:
            files: The files.
            column: The column.
            wanted: The shape of the input; sizes that are not integers match any size.
        """
        del files, column, wanted
        return ""

    def doubts(self, files: Files, used: Collection[str]) -> Iterable[DataError]:
        """Return likely mistakes that the files' names and headers show.

        Args:
            files: The files.
            used: The columns that the spec uses.
        """
        del files, used
        return ()

    def open(self, files: Files) -> Table:
        """Open the table.

        Raises:
            DataError: If the files are invalid.
        """
        raise NotImplementedError
