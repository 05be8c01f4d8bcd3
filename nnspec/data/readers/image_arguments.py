"""The arguments that readers of images share, the common format of their images, and decoding in threads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from nnspec.data.image_files import (
    CHANNELS,
    ColorMode,
    Header,
    ImageFormat,
    Interpolation,
    decode,
    headers,
    in_threads,
    load_pillow,
)
from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.base import Reader
from nnspec.layers.scalars import PositiveInt

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIXES = (".jpeg", ".jpg", ".png")


class ImageReader(Reader):
    """The base class of readers of images."""

    image_size: Annotated[list[PositiveInt], Field(min_length=2, max_length=2)] | None = Field(
        None, description="Height and width to resize all images to; null if all have the same size."
    )
    color_mode: ColorMode | None = Field(None, description="The channels: 1, 3 or 4; null: those of the images.")
    interpolation: Interpolation = Field("bilinear", description="The resizing method; downscaling averages.")
    # Pillow raises an error above twice this number.
    max_pixels: Annotated[int, Field(gt=0, le=178_000_000, strict=True)] = Field(
        2**26, description="The maximum number of pixels of an image before resizing."
    )

    @property
    def channels(self) -> int | None:
        """The number of channels; None if `color_mode` is not set."""
        return CHANNELS[self.color_mode] if self.color_mode else None

    def column_by(self, first: Path) -> Column:
        """Return the column of images, from the header of the first; sizes are unknown if Pillow is not installed."""
        size: Sequence[int | None] = self.image_size or (None, None)
        if None in size or self.channels is None:
            try:
                load_pillow()
            except DataError:
                return Column((*size, self.channels), "uint8")
            return Column(self.look([first]).shape, "uint8")
        return Column((*size, self.channels), "uint8")

    def look(self, paths: Sequence[Path], found: Sequence[Header] | None = None) -> ImageFormat:
        """Return the common format of all images, from their headers.

        Args:
            paths: The images.
            found: Their headers; None if they are to be read.

        Raises:
            DataError: If an image cannot be read, or if images differ in size or channels.
        """
        found = headers(paths, self.max_pixels) if found is None else found
        first = found[0]
        if self.image_size is None:
            for path, header in zip(paths, found, strict=True):
                if (header.height, header.width) != (first.height, first.width):
                    sizes = [f"{h.height}×{h.width}" for h in (header, first)]
                    names = [f"{p.parent.name}/{p.name}" for p in (path, paths[0])]
                    reason = f"the images differ in size: {names[0]} is {sizes[0]}, but {names[1]} is {sizes[1]}"
                    raise DataError(reason, help=f"write `image_size: [{first.height}, {first.width}]`")
        mode = self._mode(paths, found)
        height, width = self.image_size or (first.height, first.width)
        return ImageFormat(height, width, mode, self.interpolation, self.max_pixels)

    def _mode(self, paths: Sequence[Path], found: Sequence[Header]) -> ColorMode:
        """Return the channels of all images: `color_mode`, or what they have in common."""
        names = [f"{path.parent.name}/{path.name}" for path in paths]
        for name, header in zip(names, found, strict=True):
            if header.color_mode is None:
                reason = f"{name} has pixels of mode `{header.mode}`, more than 8 bits per channel"
                raise DataError(reason, help="save the images with 8 bits per channel")
        if self.color_mode is not None:
            return self.color_mode
        modes = [header.color_mode for header in found if header.color_mode is not None]
        most, _ = Counter(modes).most_common(1)[0]
        for name, mode in zip(names, modes, strict=True):
            if mode != most:
                reason = f"the images differ in their channels: {name} is {mode}, but {names[modes.index(most)]} is {most}"
                other = "grayscale" if most == "rgb" else "rgb"
                raise DataError(reason, help=f"write `color_mode: {most}` or `color_mode: {other}`")
        return most

    def arguments_for(self, first: Path | None, column: Column, wanted: Sequence[object]) -> str:
        """Suggest arguments that give images the shape of an input, as a clause; empty if there are none.

        Args:
            first: The first image; None if it is not known.
            column: The column of images.
            wanted: The shape of the input.
        """
        if len(column.shape) != 3 or len(wanted) != 3:
            return ""
        arguments = []
        pairs = zip(column.shape[:2], wanted[:2], strict=True)
        if all(isinstance(want, int) for want in wanted[:2]) and any(have != want for have, want in pairs):
            arguments.append(f"image_size: [{wanted[0]}, {wanted[1]}]")
        mode = next((mode for mode, channels in CHANNELS.items() if channels == wanted[2]), None)
        if mode is not None and column.shape[2] != wanted[2]:
            arguments.append(f"color_mode: {mode}")
        if not arguments:
            return ""
        own = next((mode for mode, channels in CHANNELS.items() if channels == column.shape[2]), "")
        name = f"`{first.parent.name}/{first.name}` is" if first is not None else "the images are"
        shown = f"{name} {column.shape[0]}×{column.shape[1]} {own}".strip()
        return f"{shown}: write `{', '.join(arguments)}` in the reader"


def read_images(paths: Sequence[Path], look: ImageFormat) -> NDArray[Any]:
    """Decode images in threads, to an array of shape (images, height, width, channels).

    Raises:
        DataError: If an image cannot be decoded.
    """
    import numpy as np

    pixels = np.empty((len(paths), *look.shape), np.uint8 if look.color_mode is not None else np.int32)

    def put(place: int) -> None:
        pixels[place] = decode(paths[place], look)

    in_threads(put, range(len(paths)))
    return pixels
