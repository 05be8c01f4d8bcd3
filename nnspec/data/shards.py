"""Writing of the rows of a table as Parquet files whose pages have checksums."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec.data.kinds import DataError
from nnspec.data.readers.base import Table
from nnspec.diagnostics import NnspecError
from nnspec.files import whole_folder

if TYPE_CHECKING:
    from nnspec.data.readers.base import Values

_GROUP_BYTES = 2**23
"""The size of a row group: large enough to be read in one request, and small enough that many of them fit into memory."""

_SHARD_BYTES = 2**27
_MOST_ROWS = 2**16
_SAMPLED = 64


def write_shards(table: Table, folder: Path, shards: int | None = None) -> list[Path]:
    """Write a table as Parquet files ``shard-00000-of-00008.parquet``, in the order of its rows.

    Image files are written unchanged, as bytes; other values as numbers, text, or lists.

    Args:
        table: The table.
        folder: The folder to write, which must not exist or be empty.
        shards: The number of files; None for one for each 128 MiB.

    Returns:
        The files.

    Raises:
        DataError: If a value cannot be read, or the rows are windows of a series.
        NnspecError: If the folder is not free, or cannot be written.
    """
    if table.timeline is not None:
        raise DataError("the rows are windows that overlap", help="convert the table of the series, and read it with `series`")
    if not len(table):
        raise DataError("there are no rows", help="name data with rows")
    if shards is not None and shards > len(table):
        raise NnspecError(f"{shards:,} shards are more than the {len(table):,} rows")
    with whole_folder(folder) as beside:
        columns = _Columns(table)
        count = shards or max(1, min(len(table), round(columns.row_bytes * len(table) / _SHARD_BYTES)))
        names = [f"shard-{number:05}-of-{count:05}.parquet" for number in range(count)]
        for number, name in enumerate(names):
            bounds = (len(table) * number // count, len(table) * (number + 1) // count)
            columns.write(beside / name, *bounds)
    return [folder / name for name in names]


class _Columns:
    """The columns of a table as Arrow arrays."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._images = {name for name in table.image_columns if table.encoded(name, 0) is not None}
        self._names = [name for name, column in table.columns.items() if not column.refused]
        sampled = self._arrays(0, min(len(table), _SAMPLED))
        self.row_bytes = sum(array.nbytes for array in sampled.values()) / min(len(table), _SAMPLED)
        self._types = {name: array.type for name, array in sampled.items()}

    def write(self, path: Path, start: int, stop: int) -> None:
        """Write some rows as a file, and check that it can be read."""
        import pyarrow
        from pyarrow import parquet

        schema = pyarrow.schema(list(self._types.items()))
        compression = {name: "none" if name in self._images else "zstd" for name in self._leaves(schema)}
        with parquet.ParquetWriter(
            path,
            schema,
            compression=compression,
            use_dictionary=[name for name, kind in self._types.items() if pyarrow.types.is_string(kind)],
            # The least and greatest image would be in the header of each page, which has no checksum.
            write_statistics=[name for name in compression if name not in self._images],
            write_page_checksum=True,
        ) as writer:
            for first, last in self._groups(start, stop):
                arrays = self._arrays(first, last)
                for name, array in arrays.items():
                    if array.type != self._types[name]:
                        arrays[name] = array.cast(self._types[name])
                writer.write_table(pyarrow.table(arrays, schema=schema), row_group_size=last - first)

    def _leaves(self, schema: Any) -> Iterator[str]:
        """Yield the columns of the file: a list has its values as a column below its name."""
        import pyarrow

        for field in schema:
            path, kind = field.name, field.type
            while pyarrow.types.is_list(kind) or pyarrow.types.is_fixed_size_list(kind):
                path, kind = f"{path}.list.element", kind.value_type
            yield path

    def _groups(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        rows = max(1, min(_MOST_ROWS, math.ceil(_GROUP_BYTES / max(self.row_bytes, 1))))
        for first in range(start, stop, rows):
            yield first, min(stop, first + rows)

    def _arrays(self, start: int, stop: int) -> dict[str, Any]:
        return {name: self._array(name, start, stop) for name in self._names}

    def _array(self, name: str, start: int, stop: int) -> Any:
        import numpy as np
        import pyarrow

        if name in self._images:
            return pyarrow.array([self._table.encoded(name, row) for row in range(start, stop)], pyarrow.binary())
        column = self._table.columns[name]
        if column.shape and not column.ragged and not column.is_text:
            return fixed_size_lists(self._table.read(name, np.arange(start, stop)))
        if column.ragged:
            values = self._table.read(name, np.arange(start, stop))
        else:  # whether integers have missing values, and lists one length, is known of the whole column
            values = self._table.read(name, slice(None))[start:stop]
        if not column.shape and not column.is_text:
            return pyarrow.array(values)
        if not column.is_text:
            return pyarrow.array([value.tolist() for value in values], _list_of(values[0]))
        return pyarrow.array(list(values), pyarrow.list_(pyarrow.string()) if column.shape else pyarrow.string())


def _list_of(value: Values) -> Any:
    import pyarrow

    kind = pyarrow.from_numpy_dtype(value.dtype)
    for _ in value.shape:
        kind = pyarrow.list_(kind)
    return kind


def fixed_size_lists(values: Values) -> Any:
    """Convert an array to Arrow lists of a fixed size, nested for each axis after the first."""
    import pyarrow

    array = pyarrow.array(values.ravel())
    for size in reversed(values.shape[1:]):
        array = pyarrow.FixedSizeListArray.from_arrays(array, size)
    return array
