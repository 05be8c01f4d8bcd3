"""A single value or image as a table with one row, decoded as in training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from nnspec.data.image_files import Header, ImageFormat, decode_content
from nnspec.data.kinds import Column, DataError
from nnspec.data.reader_arguments import damaged_reader, image_arguments
from nnspec.data.readers.base import Table
from nnspec.data.readers.images import Images

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnspec.data.readers.base import Rows, Values


class SingleValueTable(Table):
    """A table with one row and one column.

    Args:
        column: The column's name.
        value: Its value, an array or a string.
        name: Its name in messages.
        is_image: Whether it is an image from a file.
        size: The height and width of that image as stored.
        padded: Whether it was padded to keep its aspect ratio.
    """

    def __init__(
        self,
        column: str,
        value: NDArray[Any] | str,
        name: str,
        *,
        is_image: bool = False,
        size: tuple[int, int] | None = None,
        padded: bool = False,
    ) -> None:
        import numpy as np

        if isinstance(value, str):
            self.columns = {column: Column((), "text")}
            self._values = np.array([value, None], object)[:1]
        else:
            self.columns = {column: Column(value.shape, value.dtype.name)}
            self._values = value[np.newaxis]
        self._name, self._size = name, size
        self.image_columns = (column,) if is_image else ()
        self.pads_images = padded

    def __len__(self) -> int:
        return 1

    def read(self, column: str, rows: Rows) -> Values:
        del column
        return self._values[rows]

    def image_sizes(self, column: str) -> NDArray[np.int64] | None:
        import numpy as np

        del column
        return None if self._size is None else np.array([self._size], np.int64)

    def where(self, column: str, row: int) -> str:
        del column, row
        return self._name


def training_image_format(header: Header, name: str, recipe: Mapping[str, Any], wanted: Column, max_pixels: int) -> ImageFormat:
    """Return the format to which images were decoded in training.

    Args:
        header: The header of the image.
        name: Its name in messages.
        recipe: The model's recipe.
        wanted: The column type that the model expects.
        max_pixels: The maximum number of pixels of the image.

    Raises:
        DataError: If the image has more than 8 bits per channel.
        NnspecError: If the model's metadata are damaged.
    """
    if header.color_mode is None:
        reason = f"{name} has mode `{header.mode}`, which has more than 8 bits per channel"
        raise DataError(reason, help="convert the images to 8 bits per channel")
    arguments = {"folder": ".", "max_pixels": max_pixels, **image_arguments(recipe, wanted)}
    try:
        reader = Images.model_validate(arguments)
    except ValidationError:
        raise damaged_reader() from None
    return reader.format_for(header, reader.color_mode or header.color_mode)


def image_table(
    content: bytes | bytearray, name: str, format_: ImageFormat, column: str, wanted: Column, header: Header
) -> Table:
    """Decode an image to a table with one row.

    Args:
        content: The bytes of the file.
        name: Its name in messages.
        format_: The format to decode to.
        column: The name of the column.
        wanted: The column type that the model expects.
        header: The header of the image.

    Raises:
        DataError: If the image is damaged.
    """
    pixels = decode_content(content, name, format_)
    size = (header.height, header.width)
    values = pixels if len(wanted.shape) != 2 else pixels[..., 0]
    return SingleValueTable(column, values, name, is_image=True, size=size, padded=format_.padded)
