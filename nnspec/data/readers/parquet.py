"""Apache Parquet, read with pyarrow; only the columns in use are read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from nnspec.data.data_files import DataFile, MemoryFile
from nnspec.data.file_kinds import other_reader, refuse_other_kind
from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.arrow_types import column_of, is_list, numbers_of, plain, texts_of
from nnspec.data.readers.base import Files, Reader, Table

if TYPE_CHECKING:
    from nnspec.data.readers.base import Rows, Values


class Parquet(Reader):
    """A Parquet table of numbers, Booleans, text, dates and times, and lists of numbers or strings.

    Dates and times become days or seconds since 1970; text may be stored as strings or as UTF-8 bytes. Only the columns in
    use are read. It requires pyarrow, the extra `nnspec[parquet]`.
    """

    main_argument: ClassVar[str | None] = "file"
    paths: ClassVar[tuple[str, ...]] = ("file",)

    file: str = Field(description="The file.", examples=["data/train.parquet"])

    def columns(self, files: Files) -> dict[str, Column]:
        with _opened(files["file"]) as file:
            return _columns(file.schema_arrow, files["file"].name)

    def open(self, files: Files) -> Table:
        return _ParquetTable(files["file"])


parquet = Parquet


def _opened(path: DataFile) -> Any:
    try:
        import pyarrow
        from pyarrow import parquet as format_
    except ImportError:
        raise DataError("Parquet requires pyarrow, which is not installed", help="pip install 'nnspec[parquet]'") from None
    try:
        return format_.ParquetFile(pyarrow.BufferReader(path.content) if isinstance(path, MemoryFile) else path)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise _broken(path, error) from None


def _broken(path: DataFile, error: Exception) -> DataError:
    with path.open("rb") as file:
        refuse_other_kind(path, file.read(16), "a Parquet file")
    help = other_reader(path, "parquet") or "write the file again"
    return DataError(f"{path.name} is not a readable Parquet file: {_line(error)}", help=help, argument="file")


def _columns(schema: Any, name: str) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    for field in schema:
        if field.name in columns:
            raise DataError(f"{name} has two columns `{field.name}`", help="rename one", argument="file")
        columns[field.name] = column_of(field.type)
    return columns


class _ParquetTable(Table):
    def __init__(self, path: DataFile) -> None:
        self._path = path
        with _opened(path) as file:
            self._rows = int(file.metadata.num_rows)
            self.columns = _columns(file.schema_arrow, path.name)
        self._values: dict[str, Values] = {}
        # Only the values show whether all lists have the same length.
        for name, column in list(self.columns.items()):
            if None in column.shape and not column.is_token_list:
                try:
                    values = self.read(name, slice(None))
                except DataError as error:
                    # This is an error only if the column is used.
                    self.columns[name] = replace(column, refused=f"cannot be read: {error.message}")
                    continue
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
        import pyarrow

        if self.columns[column].refused:
            raise DataError(f"{self._path.name}: the column `{column}` {self.columns[column].refused}")
        try:
            with _opened(self._path) as file:
                array = file.read(columns=[column], use_threads=True).column(0).combine_chunks()
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            raise _broken(self._path, error) from None
        array = plain(array)
        if self.columns[column].is_token_list:
            return self._token_lists(column, array)
        if self.columns[column].is_text:
            return texts_of(array, lambda row: self.where(column, row))
        return self._lists(column, array) if is_list(array.type) else numbers_of(array)

    def _token_lists(self, column: str, array: Any) -> Values:
        import numpy as np

        result = np.empty(len(array), object)
        for row, value in enumerate(array.to_pylist()):
            if value is None or None in value:
                what = "the list is missing" if value is None else "a string in the list is missing"
                raise DataError(f"{self.where(column, row)}: {what}", help="write a list of strings", argument="file")
            result[row] = [text.decode(errors="replace") if isinstance(text, bytes) else text for text in value]
        return result

    def _lists(self, column: str, array: Any) -> Values:
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
                raise DataError(f"{self.where(column, row)}: {what}", argument="file")
        if len({len(value) for value in result}) > 1:
            return result
        return np.stack(list(result)) if len(result) else np.empty((0, *(size or 0 for size in self.columns[column].shape)))

    def where(self, column: str, row: int) -> str:
        return f"{self._path.name}, row {row}, column `{column}`"


def _line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
