"""Images whose files are values of a Parquet column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nnspec.data.image_files import Header, ImageFormat, decode_content, header_of, in_threads
from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.base import Table
from nnspec.data.readers.image_arguments import ImageReader
from nnspec.data.readers.parquet import ParquetTable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnspec.data.readers.base import Rows, Values

_ROWS = 256
"""The number of image files that are in memory at once when their sizes are read."""


class EncodedImages(Table):
    """The rows of a table with a column of image files, which are decoded when they are used.

    Args:
        reader: How the images are decoded.
        table: The table.
        column: The column of image files.
        first: The first image file; its size and channels are those of all, unless the reader states others.
        others: The other columns.
    """

    def __init__(
        self, reader: ImageReader, table: ParquetTable, column: str, first: bytes, others: Mapping[str, Column]
    ) -> None:
        self._reader, self._table, self._column = reader, table, column
        self._first = header_of(first, table.where(column, 0), reader.max_pixels)
        self._look = format_of(reader, self._first, table.where(column, 0))
        self.columns = {"image": Column(self._look.shape, "uint8"), **others}
        self._sizes: NDArray[np.int64] | None = None
        self.lazy = ("image", *(name for name in table.lazy if name in others))
        self.image_columns = ("image",)
        self.pads_images = self._look.padded
        self.groups = table.groups

    def __len__(self) -> int:
        return len(self._table)

    def read(self, column: str, rows: Rows) -> Values:
        import numpy as np

        if column != "image":
            return self._table.read(column, rows)
        taken = np.arange(len(self))[rows]
        contents = self._table.read_encoded(self._column, taken)
        pixels = np.empty((len(taken), *self._look.shape), np.uint8)

        def put(place: int) -> None:
            pixels[place] = self._decoded(contents[place], int(taken[place]))

        in_threads(put, range(len(taken)))
        return pixels

    def _decoded(self, content: bytes | None, row: int) -> Values:
        name = self._table.where(self._column, row)
        if content is None:
            raise DataError(f"{name}: the image is missing", help="remove the row", argument="column")
        if self._reader.image_size is None or self._reader.color_mode is None:
            self._require_same(header_of(content, name, self._reader.max_pixels), name)
        return decode_content(content, name, self._look)

    def _require_same(self, header: Header, name: str) -> None:
        first = self._first
        if self._reader.image_size is None and (header.height, header.width) != (first.height, first.width):
            sizes = f"{name} is {header.height}×{header.width}, but the first one is {first.height}×{first.width}"
            help = f"write `image_size: [{first.height}, {first.width}]`"
            raise DataError(f"the images differ in size: {sizes}", help=help, argument="column")
        if self._reader.color_mode is None and header.color_mode != first.color_mode:
            modes = f"{name} is {header.color_mode or header.mode}, but the first one is {first.color_mode}"
            help = "write `color_mode: rgb` or `color_mode: grayscale`"
            raise DataError(f"the images differ in their channels: {modes}", help=help, argument="column")

    def image_sizes(self, column: str) -> NDArray[np.int64] | None:
        if column != "image" or self._reader.image_size is None:
            return None
        if self._sizes is None:
            self._sizes = self._read_sizes()
        return self._sizes

    def _read_sizes(self) -> NDArray[np.int64]:
        import numpy as np

        made = np.empty((len(self), 2), np.int64)
        for start in range(0, len(self), _ROWS):
            taken = np.arange(start, min(start + _ROWS, len(self)))
            for row, content in zip(taken.tolist(), self._table.read_encoded(self._column, taken), strict=True):
                name = self._table.where(self._column, row)
                if content is None:
                    raise DataError(f"{name}: the image is missing", help="remove the row", argument="column")
                header = header_of(content, name, self._reader.max_pixels)
                made[row] = header.height, header.width
        return made

    def where_item(self, column: str, row: int, item: int) -> str:
        return self._table.where_item(column, row, item)

    def is_number(self, text: str) -> bool:
        return self._table.is_number(text)

    def encoded(self, column: str, row: int) -> bytes | None:
        return self._table.encoded(self._column if column == "image" else column, row)

    def where(self, column: str, row: int) -> str:
        return self._table.where(self._column if column == "image" else column, row)


def format_of(reader: ImageReader, header: Header, name: str) -> ImageFormat:
    """Return the format that images are decoded to, from the header of the first.

    Raises:
        DataError: If it has more than 8 bits per channel.
    """
    mode = reader.color_mode or header.color_mode
    if mode is None:
        reason = f"{name} has pixels of mode `{header.mode}`, more than 8 bits per channel"
        raise DataError(reason, help="save the images with 8 bits per channel", argument="column")
    return reader.format_for(header, mode)
