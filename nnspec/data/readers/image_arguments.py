"""The arguments that readers of images share, the common format of their images, and decoding in threads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, model_validator

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
from nnspec.layers.scalars import Flag, PositiveInt

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIXES = (".jpeg", ".jpg", ".png")


class ImageReader(Reader):
    """The base class of readers of images."""

    added: ClassVar[frozenset[str]] = frozenset({"pad_to_aspect_ratio", "fill_value"})

    image_size: Annotated[list[PositiveInt], Field(min_length=2, max_length=2)] | None = Field(
        None, description="Height and width to resize all images to; null if all have the same size."
    )
    color_mode: ColorMode | None = Field(None, description="The channels: 1, 3 or 4; null: those of the images.")
    interpolation: Interpolation = Field("bilinear", description="The resizing method; downscaling averages.")
    # Pillow raises an error above twice this number.
    max_pixels: Annotated[int, Field(gt=0, le=178_000_000, strict=True)] = Field(
        2**26, description="The maximum number of pixels of an image before resizing."
    )

    pad_to_aspect_ratio: Flag = Field(
        False,
        description="Whether images keep their aspect ratio: each is resized to the largest size that fits, and padded to "
        "`image_size` on both sides. Boxes are moved with them, and detections are moved back.",
    )
    fill_value: Annotated[int, Field(ge=0, le=255, strict=True)] = Field(
        0, description="The value of the padding, in each channel."
    )

    @model_validator(mode="after")
    def _pads_to_a_size(self) -> ImageReader:
        if self.pad_to_aspect_ratio and self.image_size is None:
            raise ValueError("`pad_to_aspect_ratio` requires `image_size`, the height and width to pad to")
        if self.fill_value and not self.pad_to_aspect_ratio:
            raise ValueError("`fill_value` is the value of the padding: write `pad_to_aspect_ratio: true`, or remove it")
        return self

    def format_for(self, header: Header, color_mode: ColorMode) -> ImageFormat:
        """Return the format that images are decoded to.

        Args:
            header: The header of an image, whose size is that of all if `image_size` is not set.
            color_mode: The channels.
        """
        height, width = self.image_size or (header.height, header.width)
        padding = self.pad_to_aspect_ratio, self.fill_value
        return ImageFormat(height, width, color_mode, self.interpolation, self.max_pixels, *padding)

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
        return self.format_for(first, self._mode(paths, found))

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
