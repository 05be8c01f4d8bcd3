"""Text files, with encodings, gzip compression, and the detection of other formats."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Literal, TextIO, cast

from nnspec.data.data_files import DataFile
from nnspec.data.file_kinds import GZIP, refuse_other_kind
from nnspec.data.kinds import DataError

Encoding = Literal["utf-8", "utf-16", "latin-1", "cp1252"]
"""The supported encodings."""

_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_START = 4096


@contextmanager
def open_text(
    path: DataFile, wanted: str, max_bytes: int, *, encoding: Encoding | None = None, name: str = "", argument: str = "file"
) -> Iterator[TextIO]:
    """Open a text file, decompressing gzip; line endings are preserved.

    Args:
        path: The file.
        wanted: The format that the reader expects, for messages: ``CSV text``.
        max_bytes: The maximum size of a compressed file after decompression.
        encoding: The encoding; None for UTF-8, or UTF-16 if the file begins with its byte order mark.
        name: The path as written in the spec, for messages.
        argument: The reader's argument that names the file.

    Raises:
        DataError: If the file cannot be read, is not text, or exceeds ``max_bytes``.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == GZIP
        with _opened(path, max_bytes if packed else None, argument) as stream:
            start = stream.read(_START)
            refuse_other_kind(path, start, wanted, name=name, argument=argument)
            known: str | None = encoding or ("utf-16" if start.startswith(_MARKS) else None)
            if known == "utf-16" and not start.startswith(_MARKS):
                # Without a byte order mark, the zero bytes of ASCII characters reveal the byte order.
                known = "utf-16-be" if start[::2].count(0) > start[1::2].count(0) else "utf-16-le"
            if known is None and b"\0" in start:
                reason = f"{path.name} contains null bytes, so it is not {wanted}"
                raise DataError(reason, help="save it as UTF-8", argument=argument)
            stream.seek(0)
            yield io.TextIOWrapper(stream, known or "utf-8-sig", newline="")
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        help = "the file is damaged or truncated: download it again" if isinstance(error, EOFError | zlib.error) else ""
        raise DataError(f"{path.name} cannot be read: {reason}", help=help, argument=argument) from None


def undecodable(path: DataFile, error: UnicodeDecodeError, max_bytes: int, help: str, *, argument: str = "file") -> DataError:
    """Return the error for a file with another encoding; states the line of the first invalid byte."""
    wanted = "UTF-8" if error.encoding.startswith("utf-8") else error.encoding
    reason = f"{path.name} is not {wanted} text: byte {error.object[error.start]:#04x}"
    if wanted == "UTF-8":
        with path.open("rb") as file:
            packed = file.read(2) == GZIP
        with _opened(path, max_bytes if packed else None, argument) as stream:
            for number, line in enumerate(stream, 1):
                try:
                    line.decode()
                except UnicodeDecodeError:
                    reason += f" in line {number:,}"
                    break
    return DataError(reason, help=help, argument=argument)


@contextmanager
def _opened(path: DataFile, limit: int | None, argument: str) -> Iterator[IO[bytes]]:
    if limit is None:
        with path.open("rb") as file:
            yield file
    else:
        with path.open("rb") as file, gzip.open(file) as packed:
            yield cast("IO[bytes]", io.BufferedReader(_Limited(packed, limit, path, argument)))


class _Limited(io.RawIOBase):
    """A decompressed stream with a maximum size."""

    def __init__(self, stream: gzip.GzipFile, limit: int, path: DataFile, argument: str) -> None:
        self._stream, self._limit, self._path, self._argument = stream, limit, path, argument

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        data = self._stream.read(len(view))
        if self._stream.tell() > self._limit:
            reason = f"{self._path.name} decompresses to more than `max_bytes`, {self._limit:,}"
            help = "if the file is that large, increase `max_bytes`"
            raise DataError(reason, help=help, argument=self._argument)
        view[: len(data)] = data
        return len(data)
