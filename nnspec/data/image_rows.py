"""Rows whose images are files: paths, bytes, or texts in base64, decoded as in training."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from nnspec.data.image_files import Header, ImageFormat, decode_content, header_of
from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.base import Table
from nnspec.data.single_image import training_image_format

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nnspec.data.readers.base import Rows, Values

Load = Callable[[Any], bytes | bytearray]
"""Returns the file of a value; raises DataError."""


def image_columns(recipe: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns of images of an exported model, and the input of each.

    Args:
        recipe: The model's recipe, with the white levels of images.
    """
    inputs = recipe.get("inputs", {})
    return {str(own["columns"][0]): str(name) for name, own in inputs.items() if "white" in own and len(own["columns"]) == 1}


class ImageRows(Table):
    """A table whose images are decoded from files.

    Args:
        table: The other columns; its columns of images are replaced. None if there are no others.
        pixels: The decoded images by column, each (rows, height, width, channels), or without channels.
        sizes: The height and width of the images as stored, (rows, 2), by column.
        place: Returns the place of a value from its column and row, for messages.
        padded: Whether the images were padded to keep their aspect ratio.
    """

    def __init__(
        self,
        table: Table | None,
        pixels: Mapping[str, NDArray[Any]],
        sizes: Mapping[str, NDArray[np.int64]],
        place: Callable[[str, int], str],
        padded: bool = False,
    ) -> None:
        self._table, self._pixels, self._sizes, self._place = table, pixels, sizes, place
        own = {name: Column(array.shape[1:], array.dtype.name) for name, array in pixels.items()}
        self.columns = {**(table.columns if table is not None else {}), **own}
        self.image_columns = tuple(pixels)
        self.pads_images = padded

    def __len__(self) -> int:
        return len(next(iter(self._pixels.values())))

    def read(self, column: str, rows: Rows) -> Values:
        if column in self._pixels:
            return self._pixels[column][rows]
        assert self._table is not None
        return self._table.read(column, rows)

    def image_sizes(self, column: str) -> NDArray[np.int64] | None:
        return self._sizes.get(column)

    def where(self, column: str, row: int) -> str:
        if self._table is None or column in self._pixels:
            return self._place(column, row)
        return self._table.where(column, row)

    def where_item(self, column: str, row: int, item: int) -> str:
        return super().where_item(column, row, item) if self._table is None else self._table.where_item(column, row, item)

    def is_number(self, text: str) -> bool:
        return super().is_number(text) if self._table is None else self._table.is_number(text)

    def mend(self, column: str, texts: Collection[str]) -> str:
        return "" if self._table is None else self._table.mend(column, texts)


def decoded_rows(
    table: Table | None,
    given: Mapping[str, Collection[Any]],
    recipe: Mapping[str, Any],
    wanted: Mapping[str, Column],
    load: Load,
    place: Callable[[str, int], str],
    max_pixels: int,
    reserve: Callable[[Header, ImageFormat], None] = lambda header, look: None,
) -> ImageRows:
    """Decode the images of rows.

    Args:
        table: The other columns; None if there are none.
        given: The values of each column of images.
        recipe: The model's recipe.
        wanted: The column types that the model expects.
        load: Returns the file of a value.
        place: Returns the place of a value from its column and row, for messages.
        max_pixels: The maximum number of pixels of an image.
        reserve: Called before an image is decoded, with its header and the format to decode to.

    Raises:
        DataError: If an image cannot be decoded, or images differ in size.
    """
    import numpy as np

    pixels: dict[str, NDArray[Any]] = {}
    sizes: dict[str, NDArray[np.int64]] = {}
    padded = False
    for column, values in given.items():
        images, stored = [], []
        for row, value in enumerate(values):
            where = place(column, row)
            try:
                content = load(value)
            except DataError as error:
                raise DataError(f"{where}: {error.message}", help=error.help) from None
            header = header_of(content, where, max_pixels)
            look = training_image_format(header, where, recipe, wanted[column], max_pixels)
            padded = look.padded
            reserve(header, look)
            image = decode_content(content, where, look)
            images.append(image[..., 0] if len(wanted[column].shape) == 2 else image)
            stored.append((header.height, header.width))
            if images[-1].shape != images[0].shape:
                found = " and ".join("×".join(map(str, each.shape[:2])) for each in (images[-1], images[0]))
                reason = f"{where}: the images differ in size: {found}"
                raise DataError(reason, help="predict images of different sizes one by one")
        pixels[column], sizes[column] = np.stack(images), np.array(stored, np.int64)
    return ImageRows(table, pixels, sizes, place, padded)
