"""IDX, the format of MNIST (LeCun, Cortes, Burges: "The MNIST database", its section on file formats)."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from nnspec.data.data_files import DataFile, MemoryFile, size_of
from nnspec.data.file_kinds import GZIP
from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.base import Files, Reader, Table
from nnspec.layers.scalars import PositiveInt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnspec.data.readers.base import Rows, Values

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_NAMES = {"u1": "uint8", "i1": "int8", ">i2": "int16", ">i4": "int32", ">f4": "float32", ">f8": "float64"}


@dataclass(frozen=True)
class _Header:
    """The header of an IDX file: element type, shape with the examples first, and the offset of the data."""

    dtype: str
    shape: tuple[int, ...]
    offset: int

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * int(self.dtype[-1])


class Idx(Reader):
    """A file of images and optionally one of labels, the format of MNIST; either may be compressed with gzip.

    The columns are `image` (height × width × channels) and `label`. Pixel values stay 0 to 255.
    """

    paths: ClassVar[tuple[str, ...]] = ("images", "labels")
    not_of_values: ClassVar[tuple[str, ...]] = ("max_bytes",)

    images: str = Field(
        description="The file of images: examples × height × width, optionally × channels.",
        examples=["train-images-idx3-ubyte.gz"],
    )
    labels: str | None = Field(
        None, description="The file of labels, one for each image.", examples=["train-labels-idx1-ubyte.gz"]
    )
    max_bytes: PositiveInt = Field(8 * 2**30, description="The maximum size of a file after decompression, in bytes.")

    def columns(self, files: Files) -> dict[str, Column]:
        headers = {argument: self._header(path, argument) for argument, path in files.items()}
        images = headers["images"]
        if len(images.shape) not in (3, 4):
            found = " × ".join(map(str, images.shape))
            reason = f"{files['images'].name} has the shape {found}; images are examples × height × width"
            raise DataError(reason, argument="images")
        columns = {
            "image": Column((*images.shape[1:3], images.shape[3] if len(images.shape) == 4 else 1), _NAMES[images.dtype])
        }
        if "labels" in headers:
            labels = headers["labels"]
            if len(labels.shape) != 1:
                raise DataError(f"{files['labels'].name} has {len(labels.shape)} axes; labels have one", argument="labels")
            if labels.shape != images.shape[:1]:
                raise DataError(f"got {images.shape[0]} images but {labels.shape[0]} labels", argument="labels")
            columns["label"] = Column((), _NAMES[labels.dtype])
        return columns

    def open(self, files: Files) -> Table:
        columns = self.columns(files)
        arrays = [_array(path, self._header(path, argument), argument) for argument, path in files.items()]
        return _IdxTable(columns, dict(zip(columns, arrays, strict=True)), [path.name for path in files.values()])

    def _header(self, path: DataFile, argument: str) -> _Header:
        try:
            header = _read_header(path, argument)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path.name} cannot be read: {error}", argument=argument) from None
        if header.bytes > self.max_bytes:
            reason = f"{path.name} declares {header.bytes:,} bytes of data; `max_bytes` is {self.max_bytes:,}"
            raise DataError(reason, argument=argument)
        return header


idx = Idx


def _is_gzip(path: DataFile) -> bool:
    with path.open("rb") as file:
        return file.read(2) == GZIP


def _read_header(path: DataFile, argument: str) -> _Header:
    with path.open("rb") as raw, gzip.open(raw) if _is_gzip(path) else raw as file:
        magic = file.read(4)
        if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or not magic[3]:
            help = "an IDX file starts with two zero bytes, a type and the number of axes"
            raise DataError(
                f"{path.name} is not an IDX file: it starts with {magic.hex(' ') or 'nothing'}", help=help, argument=argument
            )
        sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DataError(f"{path.name} ends in the middle of its header", argument=argument)
    return _Header(_TYPES[magic[2]], struct.unpack(f">{magic[3]}I", sizes), 4 + len(sizes))


def _array(path: DataFile, header: _Header, argument: str) -> NDArray[Any]:
    """Return the data, memory-mapped if the file is uncompressed and on disk; check its size against the header."""
    import numpy as np

    if _is_gzip(path):
        try:
            with path.open("rb") as raw, gzip.open(raw) as file:
                file.seek(header.offset)
                data = file.read(header.bytes + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{path.name} cannot be decompressed: {error}", argument=argument) from None
        found = len(data)
    else:
        found = size_of(path) - header.offset
    if found != header.bytes:
        less = "fewer" if found < header.bytes else "more"
        shape = " × ".join(map(str, header.shape))
        reason = f"{path.name} has {less} bytes than its header declares ({shape}, {header.bytes:,} bytes)"
        raise DataError(reason, help="the file is truncated; download it again" if less == "fewer" else "", argument=argument)
    if not header.bytes:
        return np.empty(header.shape, header.dtype)
    if _is_gzip(path):
        return np.frombuffer(data, header.dtype, math.prod(header.shape)).reshape(header.shape)
    if isinstance(path, MemoryFile):
        return np.frombuffer(path.content, header.dtype, math.prod(header.shape), header.offset).reshape(header.shape)
    if isinstance(path, Path):
        return np.memmap(path, header.dtype, "r", header.offset, header.shape)
    with path.open("rb") as stream:
        stream.seek(header.offset)
        return np.frombuffer(stream.read(header.bytes), header.dtype, math.prod(header.shape)).reshape(header.shape)


class _IdxTable(Table):
    def __init__(self, columns: dict[str, Column], arrays: dict[str, NDArray[Any]], names: list[str]) -> None:
        self.columns = columns
        self._arrays = arrays
        self._names = dict(zip(columns, names, strict=True))

    def __len__(self) -> int:
        return len(self._arrays["image"])

    def read(self, column: str, rows: Rows) -> Values:
        import numpy as np

        values = np.ascontiguousarray(self._arrays[column][rows])
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        return values[..., None] if column == "image" and values.ndim == 3 else values

    def where(self, column: str, row: int) -> str:
        return f"{self._names[column]}, {column} {row}"
