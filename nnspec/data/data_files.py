"""Files that readers open: a path, a named file in memory, a file at a URL, or several files that are one table."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nnspec.data.remote.remote_file import RemoteFile


@dataclass(frozen=True, eq=False)
class MemoryFile:
    """A file whose content is in memory, such as the body of a request. Readers open it like a path.

    Attributes:
        name: The name for messages; its suffix counts as a file's does.
        content: The bytes. They are not copied, so they must not change.

    Example:
        >>> with MemoryFile("rows.csv", b"a,b").open("rb") as file:
        ...     file.read(1)
        b'a'
    """

    name: str
    content: bytes | bytearray

    def open(self, mode: Literal["rb"]) -> io.BufferedReader:
        """Open the content for reading."""
        del mode
        return io.BufferedReader(_View(self.content))

    def is_dir(self) -> bool:
        """Return False."""
        return False


@dataclass(frozen=True)
class FileList:
    """Several files that are one table, such as the shards of a data set.

    Attributes:
        name: Their name in messages.
        files: The files in the order of their rows, by their paths as written in the spec.
    """

    name: str
    files: Mapping[str, Path | RemoteFile]

    def open(self, mode: Literal["rb"]) -> io.BufferedReader:
        """Open the first file for reading."""
        return next(iter(self.files.values())).open(mode)

    def is_dir(self) -> bool:
        """Return False: only the reader of a list knows its files."""
        return False


DataFile = Path | MemoryFile | RemoteFile | FileList
"""What a reader reads: a file or a folder on disk, a file in memory, an object at a URL, or several files."""


def size_of(file: DataFile) -> int:
    """The size of a file in bytes."""
    if isinstance(file, MemoryFile):
        return len(file.content)
    if isinstance(file, FileList):
        return sum(map(size_of, file.files.values()))
    return file.size if isinstance(file, RemoteFile) else file.stat().st_size


class _View(io.RawIOBase):
    """A stream over bytes that copies only what is read, unlike `io.BytesIO` over a bytearray."""

    def __init__(self, content: bytes | bytearray) -> None:
        self._content = content
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: len(self._content)}[whence]
        if start + offset < 0:
            raise OSError(f"negative seek position {start + offset}")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        with memoryview(buffer).cast("B") as target, memoryview(self._content) as content:
            part = content[self._position : self._position + len(target)]
            target[: len(part)] = part
            self._position += len(part)
            return len(part)
