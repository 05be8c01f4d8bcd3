"""NumPy's ``.npz`` archives. Pickled objects are never loaded."""

from __future__ import annotations

import ast
import math
import re
import struct
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from nnspec.data.data_files import DataFile
from nnspec.data.file_kinds import other_reader, refuse_other_kind
from nnspec.data.kinds import Column, DataError
from nnspec.data.readers.base import Files, Reader, Table
from nnspec.layers.scalars import PositiveInt

if TYPE_CHECKING:
    from nnspec.data.readers.base import Rows, Values

_MAGIC = b"\x93NUMPY"
_LONGEST_HEADER = 10_000
_DTYPE = re.compile(r"[<>|=]?(?P<kind>[biufSU])(?P<size>\d+)")
_KINDS = {"i": "int", "u": "uint", "f": "float"}


class Npz(Reader):
    """An archive of arrays saved with ``numpy.savez``; each array is a column whose first axis is the examples."""

    main_argument: ClassVar[str | None] = "file"
    paths: ClassVar[tuple[str, ...]] = ("file",)
    not_of_values: ClassVar[tuple[str, ...]] = ("max_bytes",)

    file: str = Field(description="The archive.", examples=["data/train.npz"])
    max_bytes: PositiveInt = Field(8 * 2**30, description="The maximum size of the decompressed arrays, in bytes.")

    def columns(self, files: Files) -> dict[str, Column]:
        return {name: Column(shape[1:], dtype) for name, (shape, dtype) in self._headers(files["file"]).items()}

    def open(self, files: Files) -> Table:
        headers = self._headers(files["file"])
        rows = next(iter(headers.values()))[0][0]
        return _NpzTable(files["file"], self.columns(files), rows)

    def _headers(self, path: DataFile) -> dict[str, tuple[tuple[int, ...], str]]:
        """Return the shape and element type of each array, all with the same number of examples."""
        with path.open("rb") as file:
            start = file.read(16)
        if not start.startswith(b"PK"):
            refuse_other_kind(path, start, "an archive of arrays (.npz)", name=self.file)
        try:
            with path.open("rb") as raw, zipfile.ZipFile(raw) as archive:
                members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
                unpacked = sum(info.file_size for info in members)
                if unpacked > self.max_bytes:
                    raise DataError(
                        f"{path.name} decompresses to {unpacked:,} bytes; `max_bytes` is {self.max_bytes:,}", argument="file"
                    )
                headers = {}
                for info in members:
                    with archive.open(info) as file:
                        headers[info.filename.removesuffix(".npy")] = _read_header(
                            file, f"{path.name}: {info.filename}", info.file_size
                        )
        except (zipfile.BadZipFile, OSError, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
            help = other_reader(path, "npz") or "save it again with `numpy.savez`"
            raise DataError(f"{path.name} is not an archive of arrays: {error}", help=help, argument="file") from None
        if not headers:
            refuse_other_kind(path, start, "an archive of NumPy arrays (.npz)", name=self.file)
            raise DataError(f"{path.name} contains no arrays", help="save them with `numpy.savez`", argument="file")
        lengths = {name: shape[0] for name, (shape, _) in headers.items()}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"`{name}` {length}" for name, length in lengths.items())
            raise DataError(f"the arrays of {path.name} have different numbers of examples: {found}", argument="file")
        return headers


npz = Npz


def _read_header(file: IO[bytes], where: str, size: int) -> tuple[tuple[int, ...], str]:
    """Read the shape and element type of an ``.npy`` file (numpy.lib.format, versions 1 to 3); check them against its size."""
    start = file.read(8)
    if len(start) < 8 or start[:6] != _MAGIC or start[6] not in (1, 2, 3):
        raise DataError(f"{where} is not a NumPy array", argument="file")
    width = 2 if start[6] == 1 else 4
    field = file.read(width)
    length = struct.unpack("<H" if width == 2 else "<I", field)[0] if len(field) == width else _LONGEST_HEADER + 1
    text = file.read(min(length, _LONGEST_HEADER))
    try:
        header: Any = ast.literal_eval(text.decode("latin1").strip()) if length <= _LONGEST_HEADER else None
        shape, descr = header["shape"], header["descr"]
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        raise DataError(f"{where} has an invalid header", argument="file") from None
    found = _DTYPE.fullmatch(descr) if isinstance(descr, str) else None
    if found is None:
        kind = "Python objects" if descr == "|O" else f"elements of type {str(descr)[:40]}"
        help = "save numbers, Booleans or strings; pickled objects are never loaded"
        raise DataError(f"{where} contains {kind}", help=help, argument="file")
    if not isinstance(shape, tuple) or not all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in shape):
        raise DataError(f"{where} has an invalid header", argument="file")
    if not shape:
        raise DataError(f"{where} is a scalar; the first axis must be the examples", argument="file")
    bytes_each = int(found["size"]) * (4 if found["kind"] == "U" else 1)
    if math.prod(shape) * bytes_each != size - len(start) - width - length:
        raise DataError(f"{where} does not have the number of bytes that its header declares", argument="file")
    return shape, _name(found["kind"], int(found["size"]))


def _name(kind: str, size: int) -> str:
    if kind in "SU":
        return "text"
    return "bool" if kind == "b" else f"{_KINDS[kind]}{8 * size}"


class _NpzTable(Table):
    def __init__(self, path: DataFile, columns: dict[str, Column], rows: int) -> None:
        self.columns = columns
        self._path = path
        self._rows = rows
        self._arrays: dict[str, Values] = {}

    def __len__(self) -> int:
        return self._rows

    def read(self, column: str, rows: Rows) -> Values:
        if column not in self._arrays:
            self._arrays[column] = self._load(column)
        return self._arrays[column][rows]

    def _load(self, column: str) -> Values:
        import numpy as np

        try:
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                values: Values = archive[column]
        except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise DataError(f"{self._path.name}: `{column}` cannot be read: {error}", argument="file") from None
        if values.dtype.kind == "S":
            values = np.char.decode(values.astype(np.bytes_), "utf-8", "replace")
        if values.dtype.kind == "U":
            return values.astype(object)
        return values.astype(values.dtype.newbyteorder("="), copy=False)

    def where(self, column: str, row: int) -> str:
        return f"{self._path.name}, array `{column}`, row {row}"
