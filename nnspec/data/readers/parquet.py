"""Apache Parquet, read with pyarrow; only the columns in use are read, and large ones a row group at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from nnspec.data.data_files import DataFile, FileList, MemoryFile
from nnspec.data.file_kinds import other_reader, refuse_other_kind
from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.arrow_types import column_of, encoded_of, fixed_lists, is_encoded, is_list, numbers_of, plain, texts_of
from nnspec.data.readers.base import Files, Reader, RowGroups, Table
from nnspec.data.readers.parquet_files import find_parquet
from nnspec.data.remote.remote_file import RemoteFile

if TYPE_CHECKING:
    from nnspec.data.readers.base import Rows, Values

_MIXED_BYTES = 2**27
_MOST_MIXED = 16
"""The rows of up to this many row groups are mixed, as far as the groups together have less than `_MIXED_BYTES`."""

_SPARE = 6
"""The row groups that are kept besides those that are mixed, for the threads that read ahead."""

_READ_WHOLE = 2**26
"""A column of at most this many bytes is read whole, even if only some of its rows are used."""

_FOOTERS = 8
"""The number of files whose footers are read at the same time."""


class Parquet(Reader):
    """A Parquet table of numbers, Booleans, text, dates and times, and lists of numbers or strings.

    It may consist of several files with the same columns. Dates and times become days or seconds since 1970; text may be
    stored as strings or as UTF-8 bytes. Only the columns in use are read. It requires pyarrow, the extra `nnspec[parquet]`.
    """

    main_argument: ClassVar[str | None] = "file"
    paths: ClassVar[tuple[str, ...]] = ("file",)

    file: str = Field(
        description="The file, a folder of files, or a pattern such as `data/train-*.parquet`.", examples=["data/train.parquet"]
    )

    def find(self, argument: str, folder: Path, root: Path) -> DataFile:
        return find_parquet(self.named_paths()[argument], folder, root)

    def columns(self, files: Files) -> dict[str, Column]:
        first = _members(files["file"])[0]
        with _opened(first) as file:
            return _columns(file.schema_arrow, first.name)

    def open(self, files: Files) -> ParquetTable:
        return ParquetTable(files["file"])

    def first_encoded(self, files: Files, column: str) -> bytes | None:
        """Return the first value of a column of image files; None if the column has other values, or no rows.

        Raises:
            DataError: If it cannot be read.
        """
        first = _members(files["file"])[0]
        with _opened(first) as file:
            place = file.schema_arrow.get_field_index(column)
            if place < 0 or not is_encoded(file.schema_arrow.field(place).type):
                return None
            with _errors_of(first):
                batch = next(file.iter_batches(1, columns=[column]), None)
        value = encoded_of(batch.column(0))[0].as_py() if batch is not None and batch.num_rows else None
        return value if value is not None and not _is_text(value) else None


parquet = Parquet


def _is_text(value: bytes) -> bool:
    """Whether bytes are probably a path or another text, and not a file."""
    try:
        return value.decode().isprintable()
    except UnicodeDecodeError:
        return False


File = Path | MemoryFile | RemoteFile


def _members(source: DataFile) -> list[File]:
    return list(source.files.values()) if isinstance(source, FileList) else [source]


def _opened(path: File, metadata: Any = None) -> Any:
    try:
        import pyarrow
        from pyarrow import parquet as format_
    except ImportError:
        raise DataError("Parquet requires pyarrow, which is not installed", help="pip install 'nnspec[parquet]'") from None
    with _errors_of(path):
        source: Any = path
        if isinstance(path, MemoryFile):
            source = pyarrow.BufferReader(path.content)
        elif isinstance(path, RemoteFile):
            source = pyarrow.PythonFile(path.open("rb"), mode="r")
        # A flipped bit in a page without its checksum would be read as a value.
        return format_.ParquetFile(source, metadata=metadata, page_checksum_verification=True)


class _errors_of:  # noqa: N801 - a context manager that reads like a function
    """Converts errors of pyarrow to errors of a file."""

    def __init__(self, path: File) -> None:
        self._path = path

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        del kind, trace
        import pyarrow

        if isinstance(error, pyarrow.ArrowException | OSError | ValueError):
            raise _broken(self._path, error) from None


def _broken(path: File, error: Exception) -> DataError:
    if "CRC checksum" in str(error):
        reason = f"{path.name} is damaged: the checksum of a page is wrong"
        return DataError(reason, help="copy or write the file again", argument="file")
    try:
        with path.open("rb") as file:
            refuse_other_kind(path, file.read(16), "a Parquet file")
    except OSError as unreadable:
        error = unreadable
    help = other_reader(path, "parquet") or "write the file again"
    return DataError(f"{path.name} is not a readable Parquet file: {_line(error)}", help=help, argument="file")


def _columns(schema: Any, name: str) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for field in schema:
        if field.name in columns:
            raise DataError(f"{name} has two columns `{field.name}`", help="rename one", argument="file")
        columns[field.name] = column_of(field.type)
    return columns


class ParquetTable(Table):
    """The rows of Parquet files.

    Args:
        source: The file, or the files in the order of their rows.
    """

    def __init__(self, source: DataFile) -> None:
        import numpy as np

        from nnspec.data.recent import Recent

        self._files = _members(source)
        footers = _footers(self._files)
        self._metadata = [metadata for metadata, _ in footers]
        schema = footers[0][1]
        self.columns = _columns(schema, self._files[0].name)
        self._encoded = {field.name for field in schema if is_encoded(field.type)}
        for file, (_, other) in zip(self._files, footers, strict=True):
            _require_same(schema, other, file.name, self._files[0].name)
        self._first = np.cumsum([0, *(metadata.num_rows for metadata in self._metadata)])
        self._places = [(file, group) for file, own in enumerate(self._metadata) for group in range(own.num_row_groups)]
        groups = [self._metadata[file].row_group(group) for file, group in self._places]
        starts = np.cumsum([0, *(group.num_rows for group in groups)], dtype=np.int64)
        mean = sum(group.total_byte_size for group in groups) / max(len(groups), 1)
        self.groups = RowGroups(starts, min(_MOST_MIXED, max(1, int(_MIXED_BYTES / max(mean, 1)))))
        self._sizes = _sizes(groups)
        self._values: dict[str, Values] = {}
        self._recent: dict[str, Recent[Any]] = {}
        most = self.groups.mixed + _SPARE
        self._new_recent = partial(Recent[Any], most)
        self.lazy = tuple(
            name for name, column in self.columns.items() if not (column.is_text or column.refused or None in column.shape)
        )
        self._find_lengths()

    def _find_lengths(self) -> None:
        """Read the lists: only the values show whether all of a column have the same length."""
        for name, column in list(self.columns.items()):
            if None in column.shape and not column.is_token_list:
                try:
                    values = self.read(name, slice(None))
                except DataError as error:
                    # This is an error only if the column is used.
                    self.columns = {**self.columns, name: replace(column, refused=f"cannot be read: {error.message}")}
                    continue
                ragged = values.dtype == object
                shape = (None, *values[0].shape[1:]) if ragged and len(values) else column.shape if ragged else values.shape[1:]
                self.columns = {**self.columns, name: Column(shape, column.dtype, ragged=ragged)}

    def __len__(self) -> int:
        return int(self._first[-1])

    def read(self, column: str, rows: Rows) -> Values:
        if column not in self._values:
            if not isinstance(rows, slice) and column in self.lazy and self._sizes.get(column, 0) > _READ_WHOLE:
                return self._gathered(column, rows)
            self._values[column] = self._load(column)
        return self._values[column][rows]

    def read_encoded(self, column: str, rows: NDArrayOfInts) -> list[bytes | None]:
        """Read some image files of a column.

        Args:
            column: The column.
            rows: The indices of the rows.

        Raises:
            DataError: If they cannot be read.
        """
        found: list[bytes | None] = [None] * len(rows)

        def put(places: Any, values: Any, own: Any) -> None:
            for place, row in zip(places.tolist(), own.tolist(), strict=True):
                found[place] = values[row].as_py()

        self._each_group(column, rows, encoded_of, put)
        return found

    def _gathered(self, column: str, rows: NDArrayOfInts) -> Values:
        """Read some rows by their row groups."""
        import numpy as np

        parts: list[tuple[Any, Values]] = []

        def values_of(array: Any) -> Values:
            return self._converted(column, array, lambda row: f"{self._files[0].name}, column `{column}`")

        self._each_group(column, rows, values_of, lambda places, values, own: parts.append((places, values[own])))
        if not parts:
            return self._converted(column, self._empty(column), str)
        dtype = np.result_type(*(values.dtype for _, values in parts))
        made = np.empty((len(rows), *parts[0][1].shape[1:]), dtype)
        for places, values in parts:
            made[places] = values
        return made

    def _each_group(self, column: str, rows: NDArrayOfInts, convert: Callable[[Any], Any], use: Callable[..., None]) -> None:
        """Call a function with the places in `rows`, the values and the rows of each row group that has some of the rows."""
        import numpy as np

        assert self.groups is not None
        rows = np.asarray(rows)
        recent = self._recent.setdefault(column, self._new_recent())
        of = self.groups.of(rows)
        for number in np.unique(of).tolist():
            places = np.flatnonzero(of == number)
            values = recent.get(number, partial(self._converted_group, number, column, convert))
            use(places, values, rows[places] - self.groups.starts[number])

    def _converted_group(self, number: int, column: str, convert: Callable[[Any], Any]) -> Any:
        file, group = self._places[number]
        path = self._files[file]
        with _errors_of(path), _opened(path, self._metadata[file]) as opened:
            array = plain(opened.read_row_group(group, columns=[column]).column(0))
        return convert(array)

    def _empty(self, column: str) -> Any:
        import pyarrow

        with _opened(self._files[0], self._metadata[0]) as file:
            return pyarrow.array([], file.schema_arrow.field(column).type)

    def _load(self, column: str) -> Values:
        if self.columns[column].refused:
            raise DataError(f"{self._files[0].name}: the column `{column}` {self.columns[column].refused}")
        arrays = []
        for path, metadata in zip(self._files, self._metadata, strict=True):
            with _errors_of(path), _opened(path, metadata) as file:
                arrays += file.read(columns=[column], use_threads=True).column(0).chunks
        return self._converted(column, _joined(arrays) if arrays else self._empty(column), lambda row: self.where(column, row))

    def _converted(self, column: str, array: Any, where: Callable[[int], str]) -> Values:
        array = plain(array)
        if self.columns[column].is_token_list:
            return _token_lists(array, where)
        if self.columns[column].is_text:
            return texts_of(array, where)
        if not is_list(array.type):
            return numbers_of(array)
        values = fixed_lists(array)
        return values if values is not None else self._lists(column, array, where)

    def _lists(self, column: str, array: Any, where: Callable[[int], str]) -> Values:
        import numpy as np

        result = np.empty(len(array), object)
        for row, value in enumerate(array.to_pylist()):
            try:
                result[row] = np.array(value)
            except ValueError:
                result[row] = np.array(None)
            if (
                result[row].dtype.kind not in "biuf"
                or result[row].shape[1:] != result[0].shape[1:]
                or result[row].ndim != result[0].ndim
            ):
                what = (
                    "the list is missing"
                    if value is None
                    else "the list has other values than numbers, or lists of other lengths"
                )
                raise DataError(f"{where(row)}: {what}", argument="file")
        if len({len(value) for value in result}) > 1:
            return result
        return np.stack(list(result)) if len(result) else np.empty((0, *(size or 0 for size in self.columns[column].shape)))

    def encoded(self, column: str, row: int) -> bytes | None:
        import numpy as np

        return self.read_encoded(column, np.array([row]))[0] if column in self._encoded else None

    def where(self, column: str, row: int) -> str:
        file = int(self._first.searchsorted(row, "right")) - 1
        return f"{self._files[file].name}, row {row - self._first[file]}, column `{column}`"


if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    NDArrayOfInts = NDArray[np.integer[Any]]


def _footers(files: list[File]) -> list[tuple[Any, Any]]:
    """Read the metadata and the schema of each file."""
    from concurrent.futures import ThreadPoolExecutor

    def footer(path: File) -> tuple[Any, Any]:
        with _opened(path) as file:
            return file.metadata, file.schema_arrow

    if len(files) == 1:
        return [footer(files[0])]
    with ThreadPoolExecutor(_FOOTERS, thread_name_prefix="footers") as pool:
        return list(pool.map(footer, files))


def _require_same(schema: Any, other: Any, name: str, first: str) -> None:
    """Require that a file has the columns of the first one."""
    columns, others = ({field.name: field.type for field in each} for each in (schema, other))
    if columns == others:
        return
    wrong = next((one for one in (*columns, *others) if columns.get(one) != others.get(one)), next(iter(columns), ""))
    types = [f"has the type {kinds[wrong]}" if wrong in kinds else "is missing" for kinds in (others, columns)]
    reason = f"the files differ in their columns: `{wrong}` {types[0]} in {name}, and {types[1]} in {first}"
    raise DataError(reason, help="name files with the same columns", argument="file")


def _sizes(groups: list[Any]) -> Mapping[str, int]:
    """Return the size of each column in bytes, without compression."""
    sizes: dict[str, int] = {}
    for group in groups:
        for place in range(group.num_columns):
            column = group.column(place)
            name = column.path_in_schema.partition(".")[0]
            sizes[name] = sizes.get(name, 0) + column.total_uncompressed_size
    return sizes


def _joined(arrays: list[Any]) -> Any:
    import pyarrow

    return pyarrow.chunked_array([plain(array) for array in arrays])


def _token_lists(array: Any, where: Callable[[int], str]) -> Values:
    import numpy as np

    result = np.empty(len(array), object)
    for row, value in enumerate(array.to_pylist()):
        if value is None or None in value:
            what = "the list is missing" if value is None else "a string in the list is missing"
            raise DataError(f"{where(row)}: {what}", help="write a list of strings", argument="file")
        result[row] = [text.decode(errors="replace") if isinstance(text, bytes) else text for text in value]
    return result


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
