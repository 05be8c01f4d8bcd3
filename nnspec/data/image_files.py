"""Pictures in files, PNG and JPEG, read by Pillow: checked by their headers, decoded when they are asked for."""

from __future__ import annotations

import os
import struct
import warnings
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nnspec.data.kinds import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "INTERPOLATIONS",
    "ColorMode",
    "Header",
    "TooManyPixelsError",
    "Interpolation",
    "ImageFormat",
    "decode",
    "decode_content",
    "header_of",
    "headers",
    "in_threads",
    "load_pillow",
]

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos", "area"]
ColorMode = Literal["grayscale", "rgb", "rgba"]

INTERPOLATIONS = {"nearest": "NEAREST", "bilinear": "BILINEAR", "bicubic": "BICUBIC", "lanczos": "LANCZOS", "area": "BOX"}
"""Pillow's names of them."""

CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
# What each of Pillow's modes is read as where nothing else is asked for.
_LOOKS: dict[str, ColorMode] = {
    "1": "grayscale", "L": "grayscale", "LA": "grayscale", "P": "rgb", "RGB": "rgb", "RGBA": "rgba",
    "CMYK": "rgb", "YCbCr": "rgb",
}  # fmt: skip
_FORMATS = ("PNG", "JPEG")
_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)
"""The Exif orientations that exchange height and width."""
_PNG = b"\x89PNG\r\n\x1a\n"
_SCAN = b"\xff\xda"
_MOST_SCANS = 100
"""A progressive JPEG has about ten; each costs a pass over all of its pixels."""

Bytes = bytes | bytearray

# What Pillow raises on files that are cut short or made up.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error, zlib.error)


@dataclass(frozen=True)
class Header:
    """What a picture says of itself.

    Attributes:
        height: In pixels.
        width: In pixels.
        mode: Pillow's name of what a pixel is: ``L``, ``RGB``, ``P`` …
    """

    height: int
    width: int
    mode: str

    @property
    def color_mode(self) -> ColorMode | None:
        """What it is read as where nothing else is asked for; None for what a byte a channel cannot hold."""
        return _LOOKS.get(self.mode)


@dataclass(frozen=True)
class ImageFormat:
    """What pictures are made into.

    Attributes:
        height: In pixels.
        width: In pixels.
        color_mode: Its channels; None for a picture of labels, whose values are kept as they are.
        interpolation: How it is resized.
        max_pixels: The most pixels that a picture may have before that.
    """

    height: int
    width: int
    color_mode: ColorMode | None
    interpolation: Interpolation
    max_pixels: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one picture's array."""
        size = (self.height, self.width)
        return size if self.color_mode is None else (*size, CHANNELS[self.color_mode])


def load_pillow() -> Any:
    """Pillow's module of images.

    Raises:
        DataError: Where it is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise DataError("reading pictures needs Pillow, not installed here", help="pip install 'nnspec[train]'") from None
    return Image


def headers(paths: Sequence[Path], max_pixels: int) -> list[Header]:
    """What each picture says of itself; none is decoded.

    Raises:
        DataError: That names the first that is no picture, or has too many pixels.
    """
    image = load_pillow()
    with warnings.catch_warnings():
        # A picture too large is refused below by our own limit.
        warnings.simplefilter("ignore", image.DecompressionBombWarning)
        return in_threads(lambda path: _header(image, path, _name(path), max_pixels), paths)


def header_of(content: Bytes, name: str, max_pixels: int) -> Header:
    """What a picture says of itself; it is not decoded.

    Args:
        content: The file's bytes.
        name: What to call it in messages.
        max_pixels: The most that it may have.

    Raises:
        DataError: Where it is no picture, or has too many pixels.
    """
    return _header(load_pillow(), BytesIO(content), name, max_pixels)


def decode(path: Path, format_: ImageFormat) -> NDArray[Any]:
    """The pixels of a picture, uint8, or the labels of one, int32.

    Raises:
        DataError: That names the picture, where it cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _undecodable(_name(path), error) from None
    return decode_content(content, _name(path), format_)


def decode_content(content: Bytes, name: str, format_: ImageFormat) -> NDArray[Any]:
    """The same of a file's bytes; a picture from a request and one from a file are decoded and resized here alike.

    Args:
        content: The file's bytes.
        name: What to call it in messages.
        format_: What it is made into.

    Raises:
        DataError: Where it cannot be read.
    """
    import numpy as np

    image = load_pillow()
    try:
        with image.open(BytesIO(content), formats=_FORMATS) as picture:
            _require_small(name, picture.size, format_.max_pixels)
            _require_intact(content)
            picture = _upright(picture)
            if format_.color_mode is not None:
                picture = _converted(picture, _MODES[format_.color_mode])
            if picture.size != (format_.width, format_.height):
                picture = picture.resize(
                    (format_.width, format_.height), getattr(image.Resampling, INTERPOLATIONS[format_.interpolation])
                )
            pixels = np.asarray(picture, np.uint8 if format_.color_mode is not None else np.int32)
    except (image.DecompressionBombError, image.DecompressionBombWarning):
        raise _too_large(name, format_.max_pixels) from None
    except _BROKEN as error:
        raise _undecodable(name, error) from None
    return pixels.reshape(format_.shape)


def _orientation(picture: Any) -> int:
    """The Exif orientation; 1 if there is none that can be read."""
    if "exif" not in picture.info and "Raw profile type exif" not in picture.info:
        return 1
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except _BROKEN:
        return 1


def _upright(picture: Any) -> Any:
    """The picture turned as its Exif orientation says."""
    from PIL import Image

    methods = ("FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM", "TRANSPOSE", "ROTATE_270", "TRANSVERSE", "ROTATE_90")
    orientation = _orientation(picture)
    return picture.transpose(Image.Transpose[methods[orientation - 2]]) if 2 <= orientation <= 8 else picture


def _require_intact(content: Bytes) -> None:
    """Refuses what Pillow would decode to other pixels than were written, or for minutes.

    Raises:
        ValueError: For a PNG one of whose chunks does not have its checksum, and a JPEG of very many scans.
    """
    if content.startswith(_PNG):
        place, kind = len(_PNG), b""
        while kind != b"IEND":
            if len(content) < place + 12:
                raise ValueError("it is cut short")
            [length] = struct.unpack_from(">I", content, place)
            kind = bytes(content[place + 4 : place + 8])
            end = place + 8 + length
            if len(content) < end + 4:
                raise ValueError("it is cut short")
            if zlib.crc32(memoryview(content)[place + 4 : end]) != struct.unpack_from(">I", content, end)[0]:
                raise ValueError(f"the checksum of its chunk {kind.decode('ascii', 'replace')!r} is wrong")
            place = end + 4
    elif content.count(_SCAN) > _MOST_SCANS:
        raise ValueError(f"it has more than {_MOST_SCANS} scans")


def _converted(picture: Any, mode: str) -> Any:
    if picture.mode == "P" and "transparency" in picture.info:
        picture = picture.convert("RGBA")
    return picture if picture.mode == mode else picture.convert(mode)


def _header(image: Any, source: Path | BytesIO, name: str, max_pixels: int) -> Header:
    try:
        with image.open(source, formats=_FORMATS) as picture:
            width, height = picture.size
            mode = picture.mode
            turned = _orientation(picture) in _TURNED
            frames = getattr(picture, "n_frames", 1) if picture.format == "PNG" else 1
    except image.UnidentifiedImageError:
        empty = not (source.getbuffer().nbytes if isinstance(source, BytesIO) else source.stat().st_size)
        if empty:
            reason = f"{name} is no PNG or JPEG picture: it is empty (0 bytes)"
            raise DataError(reason, help="remove it, or write it again") from None
        raise DataError(f"{name} is no PNG or JPEG picture", help="take it away, or write it as PNG") from None
    except (image.DecompressionBombError, image.DecompressionBombWarning):
        raise _too_large(name, max_pixels) from None
    except _BROKEN as error:
        raise DataError(f"{name} cannot be read: {_said(error)}", help="take it away, or write it anew") from None
    _require_small(name, (width, height), max_pixels)
    if frames > 1:
        raise DataError(f"{name} is an animation of {frames:,} frames", help="write the frame that is meant as PNG")
    return Header(width, height, mode) if turned else Header(height, width, mode)


def _undecodable(name: str, error: BaseException) -> DataError:
    return DataError(f"{name} cannot be decoded: {_said(error)}", help="take it away, or write it anew")


def _require_small(name: str, size: tuple[int, int], max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise _too_large(name, max_pixels, f": {size[0]:,} × {size[1]:,}")


class TooManyPixelsError(DataError):
    """A picture of more pixels than are read."""


def _too_large(name: str, max_pixels: int, size: str = "") -> DataError:
    return TooManyPixelsError(
        f"{name} has more pixels than `max_pixels`, {max_pixels:,}{size}",
        help="make it smaller, or write a larger `max_pixels`",
    )


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _said(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text.partition("\n")[0].replace(str(Path.cwd()), ".") or type(error).__name__


@cache
def _pool() -> ThreadPoolExecutor:
    # Pillow lets other threads run while it decodes.
    return ThreadPoolExecutor(min(8, (os.cpu_count() or 1) + 1), thread_name_prefix="pictures")


def in_threads(function: Any, items: Sequence[Any]) -> list[Any]:
    """The function of each item, in order; the error of the first that has one.

    Pillow's warnings are not shown: a picture too large is refused by our own limit, and damaged Exif data say nothing of
    the pixels.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        return _in_threads(function, items)


def _in_threads(function: Any, items: Sequence[Any]) -> list[Any]:
    return list(_pool().map(function, items)) if len(items) > 1 else [function(item) for item in items]
