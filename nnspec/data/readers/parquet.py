"""Apache Parquet, read by pyarrow: columns that are used, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.base import Files, Reader, Table

if TYPE_CHECKING:
    from nnspec.data.readers.base import Rows, Values

__all__ = ["Parquet", "parquet"]

_FLOATS = {"halffloat": "float16", "float": "float32", "double": "float64"}
"""NumPy's names of Arrow's."""


class Parquet(Reader):
    """A table of columns. Numbers, truth values, texts, dates as their days or seconds since 1970, and lists of numbers.

    The columns that are used are read whole, and the others not at all. It needs pyarrow, the extra `nnspec[parquet]`.
    """

    main_argument: ClassVar[str | None] = "file"
    paths: ClassVar[tuple[str, ...]] = ("file",)

    file: str = Field(description="The file.")

    def columns(self, files: Files) -> dict[str, Column]:
        with _opened(files["file"]) as file:
            return _columns(file.schema_arrow, files["file"].name)

    def open(self, files: Files) -> Table:
        return _ParquetTable(files["file"])


parquet = Parquet


def _opened(path: Path) -> Any:
    try:
        import pyarrow
        from pyarrow import parquet as format_
    except ImportError:
        raise DataError("reading Parquet needs pyarrow, not installed here", help="pip install 'nnspec[parquet]'") from None
    try:
        return format_.ParquetFile(path)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise _broken(path, error) from None


def _broken(path: Path, error: Exception) -> DataError:
    return DataError(f"{path.name} is no Parquet file that can be read: {_line(error)}", argument="file")


def _columns(schema: Any, name: str) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for field in schema:
        if field.name in columns:
            raise DataError(f"{name} has two columns `{field.name}`", help="rename one", argument="file")
        columns[field.name] = _kind(field.type)
    return columns


def _kind(type: Any) -> Column:
    """What a column of an Arrow type is here; one that cannot be read is refused when it is."""
    from pyarrow import types

    if types.is_dictionary(type):
        type = type.value_type
    if types.is_string(type) or types.is_large_string(type):
        return Column((), "text")
    if types.is_fixed_size_list(type):
        inner = _kind(type.value_type)
        return Column((type.list_size, *inner.shape), inner.dtype)
    if types.is_list(type) or types.is_large_list(type):
        inner = _kind(type.value_type)
        return Column((None, *inner.shape), inner.dtype)
    if types.is_floating(type) or types.is_integer(type):
        return Column((), _FLOATS.get(str(type), str(type)))
    return Column((), "bool" if types.is_boolean(type) else "unknown")


class _ParquetTable(Table):
    def __init__(self, path: Path) -> None:
        self._path = path
        with _opened(path) as file:
            self._rows = int(file.metadata.num_rows)
            self.columns = _columns(file.schema_arrow, path.name)
        self._values: dict[str, Values] = {}
        # Whether lists are of one length, and whether whole numbers are missing, is in the values alone.
        for name, column in list(self.columns.items()):
            if None in column.shape:
                values = self.read(name, slice(None))
                ragged = values.dtype == object
                shape = (None, *values[0].shape[1:]) if ragged and len(values) else column.shape if ragged else values.shape[1:]
                self.columns[name] = Column(shape, column.dtype, ragged=ragged)

    def __len__(self) -> int:
        return self._rows

    def read(self, column: str, rows: Rows) -> Values:
        if column not in self._values:
            self._values[column] = self._load(column)
        return self._values[column][rows]

    def _load(self, column: str) -> Values:
        import numpy as np
        import pyarrow

        try:
            with _opened(self._path) as file:
                array = file.read(columns=[column], use_threads=True).column(0).combine_chunks()
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            raise _broken(self._path, error) from None
        array = array.chunk(0) if isinstance(array, pyarrow.ChunkedArray) and array.num_chunks else array
        if pyarrow.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        kind = array.type
        if self.columns[column].is_text:
            made = np.empty(len(array), object)
            made[:] = array.to_pylist()
            return made
        if pyarrow.types.is_nested(kind):
            return self._lists(column, array)
        if pyarrow.types.is_temporal(kind):
            wide = pyarrow.int32() if kind.bit_width == 32 else pyarrow.int64()
            per_second = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}.get(getattr(kind, "unit", ""), 1)
            return _numbers(array.cast(wide)) / per_second
        if pyarrow.types.is_decimal(kind):
            array = array.cast(pyarrow.float64())
        elif not (pyarrow.types.is_floating(kind) or pyarrow.types.is_integer(kind) or pyarrow.types.is_boolean(kind)):
            raise self._refused(column, kind)
        return _numbers(array)

    def _lists(self, column: str, array: Any) -> Values:
        import numpy as np

        if not self.columns[column].shape:
            raise self._refused(column, array.type)
        made = np.empty(len(array), object)
        for row, value in enumerate(array.to_pylist()):
            try:
                made[row] = np.array(value)
            except ValueError:
                made[row] = np.array(None)
            if made[row].dtype.kind not in "biuf" or made[row].shape[1:] != made[0].shape[1:] or made[row].ndim != made[0].ndim:
                what = "the list is missing" if value is None else "the list holds more than numbers, or lists of other lengths"
                raise DataError(f"{self.where(column, row)}: {what}", argument="file")
        if len({len(value) for value in made}) > 1:
            return made
        return np.stack(list(made)) if len(made) else np.empty((0, *(size or 0 for size in self.columns[column].shape)))

    def _refused(self, column: str, kind: Any) -> DataError:
        help = "a column holds numbers, truth values, dates, texts, or lists of numbers"
        return DataError(f"{self._path.name}: the column `{column}` is of the type {kind}", help=help, argument="file")

    def where(self, column: str, row: int) -> str:
        return f"{self._path.name}, row {row}, column `{column}`"


def _numbers(array: Any) -> Values:
    """The numbers, NaN where one is missing."""
    values: Values = array.to_numpy(zero_copy_only=False)
    return values.astype(float) if values.dtype == object else values


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
