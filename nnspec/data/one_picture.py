"""One picture as a table of one row, made into what a model takes of it as in training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from nnspec.data.as_trained import damaged_reader, picture_arguments
from nnspec.data.kinds import Column, DataError
from nnspec.data.pictures import Header, Look, decode_content
from nnspec.data.readers.base import Table
from nnspec.data.readers.images import Images

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnspec.data.readers.base import Rows, Values

__all__ = ["OneValue", "look_as_trained", "picture_table"]


class OneValue(Table):
    """One row with one value.

    Args:
        column: The column's name.
        value: Its value, an array or a text.
        name: What to call it in messages.
        is_picture: Whether it is a picture from a file.
    """

    def __init__(self, column: str, value: NDArray[Any] | str, name: str, *, is_picture: bool = False) -> None:
        import numpy as np

        if isinstance(value, str):
            self.columns = {column: Column((), "text")}
            self._values = np.array([value, None], object)[:1]
        else:
            self.columns = {column: Column(value.shape, value.dtype.name)}
            self._values = value[np.newaxis]
        self._name = name
        self.image_columns = (column,) if is_picture else ()

    def __len__(self) -> int:
        return 1

    def read(self, column: str, rows: Rows) -> Values:
        del column
        return self._values[rows]

    def where(self, column: str, row: int) -> str:
        del column, row
        return self._name


def look_as_trained(header: Header, name: str, recipe: Mapping[str, Any], wanted: Column, max_pixels: int) -> Look:
    """What a picture becomes: what the model's own became in training.

    Args:
        header: What the picture says of itself.
        name: What to call it in messages.
        recipe: What the model says of its inputs.
        wanted: What it takes of the picture.
        max_pixels: The most pixels that the picture may have.

    Raises:
        DataError: Where it is of a kind that a byte a channel cannot hold.
        NnspecError: Where what the model says is damaged.
    """
    if header.color_mode is None:
        reason = f"{name} has pixels of the kind `{header.mode}`, more than a byte a channel"
        raise DataError(reason, help="write the pictures with 8 bits a channel")
    told = {"folder": ".", "max_pixels": max_pixels, **picture_arguments(recipe, wanted)}
    try:
        reader = Images.model_validate(told)
    except ValidationError:
        raise damaged_reader() from None
    height, width = reader.image_size or (header.height, header.width)
    return Look(height, width, reader.color_mode or header.color_mode, reader.interpolation, max_pixels)


def picture_table(content: bytes | bytearray, name: str, look: Look, column: str, wanted: Column) -> Table:
    """A picture as a table.

    Args:
        content: The file's bytes.
        name: What to call it in messages.
        look: What it becomes.
        column: What the model calls it.
        wanted: What the model takes of it.

    Raises:
        DataError: Where it is damaged.
    """
    pixels = decode_content(content, name, look)
    return OneValue(column, pixels if len(wanted.shape) != 2 else pixels[..., 0], name, is_picture=True)
