"""PNG and JPEG files, read with Pillow: headers are checked first, pixels are decoded on access."""

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

from nnspec.data.image_frames import Resized, padded_size, padding_before
from nnspec.data.kinds import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos", "area"]
ColorMode = Literal["grayscale", "rgb", "rgba"]

INTERPOLATIONS = {"nearest": "NEAREST", "bilinear": "BILINEAR", "bicubic": "BICUBIC", "lanczos": "LANCZOS", "area": "BOX"}
"""Pillow's names of the interpolation methods."""

CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}
_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
# The default color mode for each of Pillow's modes.
_COLOR_MODES: dict[str, ColorMode] = {
    "1": "grayscale", "L": "grayscale", "LA": "grayscale", "P": "rgb", "RGB": "rgb", "RGBA": "rgba",
    "CMYK": "rgb", "YCbCr": "rgb",
}  # fmt: skip
_FORMATS = ("PNG", "JPEG")
_ORIENTATION = 0x0112
_TRANSPOSED = (5, 6, 7, 8)
"""The Exif orientations that swap height and width."""
_PNG = b"\x89PNG\r\n\x1a\n"
_SCAN = b"\xff\xda"
_MOST_SCANS = 100
"""A progressive JPEG has about ten scans; each requires a pass over all pixels."""

Bytes = bytes | bytearray

# The exceptions that Pillow raises for truncated or malformed files.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError, struct.error, zlib.error)


@dataclass(frozen=True)
class Header:
    """The header of an image.

    Attributes:
        height: In pixels.
        width: In pixels.
        mode: Pillow's mode: ``L``, ``RGB``, ``P`` …
    """

    height: int
    width: int
    mode: str

    @property
    def color_mode(self) -> ColorMode | None:
        """The default color mode; None for images with more than 8 bits per channel."""
        return _COLOR_MODES.get(self.mode)


@dataclass(frozen=True)
class ImageFormat:
    """The format that images are decoded to.

    Attributes:
        height: In pixels.
        width: In pixels.
        color_mode: The channels; None for label images, whose values are kept unchanged.
        interpolation: The interpolation method for resizing.
        max_pixels: The maximum number of pixels of the original image.
        padded: Whether images keep their aspect ratio, and are padded to the size.
        fill_value: The value of the padding.
    """

    height: int
    width: int
    color_mode: ColorMode | None
    interpolation: Interpolation
    max_pixels: int
    padded: bool = False
    fill_value: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a decoded image."""
        size = (self.height, self.width)
        return size if self.color_mode is None else (*size, CHANNELS[self.color_mode])


def load_pillow() -> Any:
    """Import ``PIL.Image``.

    Raises:
        DataError: If Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise DataError("reading images requires Pillow, which is not installed", help="pip install 'nnspec[train]'") from None
    return Image


def headers(paths: Sequence[Path], max_pixels: int) -> list[Header]:
    """Read the headers of images, without decoding them.

    Raises:
        DataError: If a file is not an image or has too many pixels; names the first such file.
    """
    image = load_pillow()
    with warnings.catch_warnings():
        # Images that are too large are rejected below, by `max_pixels`.
        warnings.simplefilter("ignore", image.DecompressionBombWarning)
        return in_threads(lambda path: _header(image, path, _name(path), max_pixels), paths)


def header_of(content: Bytes, name: str, max_pixels: int) -> Header:
    """Read the header of an image, without decoding it.

    Args:
        content: The bytes of the file.
        name: Its name in messages.
        max_pixels: The maximum number of pixels.

    Raises:
        DataError: If it is not an image or has too many pixels.
    """
    return _header(load_pillow(), BytesIO(content), name, max_pixels)


def decode(path: Path, format_: ImageFormat) -> NDArray[Any]:
    """Decode an image file to pixels, uint8, or to labels, int32.

    Raises:
        DataError: If it cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _undecodable(_name(path), error) from None
    return decode_content(content, _name(path), format_)


def decode_content(content: Bytes, name: str, format_: ImageFormat) -> NDArray[Any]:
    """Decode the bytes of an image file; used for files and for images in requests.

    Args:
        content: The bytes of the file.
        name: Its name in messages.
        format_: The format to decode to.

    Raises:
        DataError: If it cannot be decoded.
    """
    import numpy as np

    image = load_pillow()
    try:
        with image.open(BytesIO(content), formats=_FORMATS) as opened:
            _require_small(name, opened.size, format_.max_pixels)
            _require_intact(content)
            decoded = _upright(opened)
            if format_.color_mode is not None:
                decoded = _converted(decoded, _MODES[format_.color_mode])
            size = _inner_size(decoded, format_)
            if decoded.size != size:
                decoded = decoded.resize(size, getattr(image.Resampling, INTERPOLATIONS[format_.interpolation]))
            pixels = np.asarray(decoded, np.uint8 if format_.color_mode is not None else np.int32)
    except (image.DecompressionBombError, image.DecompressionBombWarning):
        raise _too_large(name, format_.max_pixels) from None
    except _BROKEN as error:
        raise _undecodable(name, error) from None
    return _padded(pixels, format_).reshape(format_.shape)


def _inner_size(decoded: Any, format_: ImageFormat) -> tuple[int, int]:
    """Return the width and height of a resized image without its padding."""
    if not format_.padded:
        return format_.width, format_.height
    height, width = padded_size(decoded.height, decoded.width, Resized(format_.height, format_.width, padded=True))
    return width, height


def _padded(pixels: NDArray[Any], format_: ImageFormat) -> NDArray[Any]:
    import numpy as np

    height, width = pixels.shape[:2]
    if (height, width) == (format_.height, format_.width):
        return pixels
    top, left = padding_before(height, width, Resized(format_.height, format_.width, padded=True))
    made = np.full((format_.height, format_.width, *pixels.shape[2:]), format_.fill_value, pixels.dtype)
    made[top : top + height, left : left + width] = pixels
    return made


def _orientation(image: Any) -> int:
    """Return the Exif orientation; 1 if it is missing or unreadable."""
    if "exif" not in image.info and "Raw profile type exif" not in image.info:
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _BROKEN:
        return 1


def _upright(image: Any) -> Any:
    """Apply the Exif orientation of an image."""
    from PIL import Image

    methods = ("FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM", "TRANSPOSE", "ROTATE_270", "TRANSVERSE", "ROTATE_90")
    orientation = _orientation(image)
    return image.transpose(Image.Transpose[methods[orientation - 2]]) if 2 <= orientation <= 8 else image


def _require_intact(content: Bytes) -> None:
    """Reject files that Pillow would decode to wrong pixels, or for minutes.

    Raises:
        ValueError: If a chunk of a PNG has a wrong checksum, or a JPEG has too many scans.
    """
    if content.startswith(_PNG):
        place, kind = len(_PNG), b""
        while kind != b"IEND":
            if len(content) < place + 12:
                raise ValueError("the file is truncated")
            [length] = struct.unpack_from(">I", content, place)
            kind = bytes(content[place + 4 : place + 8])
            end = place + 8 + length
            if len(content) < end + 4:
                raise ValueError("the file is truncated")
            if zlib.crc32(memoryview(content)[place + 4 : end]) != struct.unpack_from(">I", content, end)[0]:
                raise ValueError(f"the chunk {kind.decode('ascii', 'replace')!r} has a wrong checksum")
            place = end + 4
    elif content.count(_SCAN) > _MOST_SCANS:
        raise ValueError(f"the file has more than {_MOST_SCANS} scans")


def _converted(image: Any, mode: str) -> Any:
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image if image.mode == mode else image.convert(mode)


def _header(image: Any, source: Path | BytesIO, name: str, max_pixels: int) -> Header:
    try:
        with image.open(source, formats=_FORMATS) as opened:
            width, height = opened.size
            mode = opened.mode
            transposed = _orientation(opened) in _TRANSPOSED
            frames = getattr(opened, "n_frames", 1) if opened.format == "PNG" else 1
    except image.UnidentifiedImageError:
        empty = not (source.getbuffer().nbytes if isinstance(source, BytesIO) else source.stat().st_size)
        if empty:
            raise DataError(f"{name} is not a PNG or JPEG image: the file is empty", help=_REPLACE) from None
        raise DataError(f"{name} is not a PNG or JPEG image", help="remove it, or convert it to PNG") from None
    except (image.DecompressionBombError, image.DecompressionBombWarning):
        raise _too_large(name, max_pixels) from None
    except _BROKEN as error:
        raise DataError(f"{name} cannot be read: {_reason(error)}", help=_REPLACE) from None
    _require_small(name, (width, height), max_pixels)
    if frames > 1:
        raise DataError(f"{name} is an animation of {frames:,} frames", help="save a single frame as PNG")
    return Header(width, height, mode) if transposed else Header(height, width, mode)


_REPLACE = "remove it, or replace it by an intact file"


def _undecodable(name: str, error: BaseException) -> DataError:
    return DataError(f"{name} cannot be decoded: {_reason(error)}", help=_REPLACE)


def _require_small(name: str, size: tuple[int, int], max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise _too_large(name, max_pixels, f": {size[0]:,} × {size[1]:,}")


class TooManyPixelsError(DataError):
    """An image with more pixels than `max_pixels`."""


def _too_large(name: str, max_pixels: int, size: str = "") -> DataError:
    return TooManyPixelsError(
        f"{name} has more pixels than `max_pixels`, {max_pixels:,}{size}",
        help="downscale it, or increase `max_pixels`",
    )


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _reason(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text.partition("\n")[0].replace(str(Path.cwd()), ".") or type(error).__name__


@cache
def _pool() -> ThreadPoolExecutor:
    # Pillow releases the GIL while it decodes.
    return ThreadPoolExecutor(min(8, (os.cpu_count() or 1) + 1), thread_name_prefix="images")


def in_threads(function: Any, items: Sequence[Any]) -> list[Any]:
    """Apply a function to each item in a thread pool; the error of the first item that fails is raised.

    Pillow's warnings are suppressed: images that are too large are rejected by `max_pixels`, and damaged Exif data do not
    affect the pixels.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        return _in_threads(function, items)


def _in_threads(function: Any, items: Sequence[Any]) -> list[Any]:
    return list(_pool().map(function, items)) if len(items) > 1 else [function(item) for item in items]
