"""Remote objects that readers open like files."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nnspec.data.remote.urls import masked

BLOCK = 2**22
"""The size of the blocks in which objects are read."""

_VERSIONS = ("ETag", "etag", "md5Hash", "content_md5", "Content-MD5", "generation", "blob_id", "Last-Modified", "created")
"""What file systems state of an object that changes with its content, the best first."""


@dataclass(frozen=True)
class RemoteFile:
    """An object at a URL. Blocks of it are read when they are needed, and kept in the cache.

    Attributes:
        url: The URL.
        size: Its size in bytes.
        version: What changes with its content, such as its entity tag.
    """

    url: str
    size: int
    version: str = field(compare=False)

    @property
    def name(self) -> str:
        """The URL for messages."""
        return masked(self.url)

    @property
    def stamp(self) -> str:
        """The size and the version, for fingerprints."""
        return f"{self.size}:{self.version}"

    def open(self, mode: Literal["rb"]) -> io.BufferedReader:
        """Open the object for reading."""
        del mode
        return io.BufferedReader(_Stream(self), 2**16)

    def is_dir(self) -> bool:
        """Return False."""
        return False

    def block(self, number: int) -> bytes:
        """Return a block of the object.

        Raises:
            DataError: If it cannot be read.
        """
        from nnspec.data.remote.cache import key_of, the_cache
        from nnspec.data.remote.requests import request

        key = key_of(self.url, self.size, self.version, number)
        content = the_cache().get(key)
        start, stop = number * BLOCK, min(self.size, (number + 1) * BLOCK)
        if content is None or len(content) != stop - start:
            content = request(self.url, lambda: read_range(self, start, stop), size=stop - start)
            the_cache().put(key, content)
        return content


def read_range(file: RemoteFile, start: int, stop: int) -> bytes:
    """Read a part of an object, with one request.

    Raises:
        OSError: If it cannot be read, or has fewer bytes.
        DataError: If it was replaced.
    """
    from nnspec.data.remote.requests import file_system, replaced

    system, path = file_system(file.url)
    if file.url.startswith("s3://"):
        # Such a file requires that the object still has its entity tag.
        with system.open(path, "rb", cache_type="none") as opened:
            if version_of(opened.details) != file.version:
                raise replaced(file.url)
            opened.seek(start)
            content: bytes = opened.read(stop - start)
    else:
        content = system.cat_file(path, start=start, end=stop)
        if len(content) == file.size != stop - start:  # a server that does not support ranges
            content = content[start:stop]
    if len(content) != stop - start:
        raise OSError(f"it is truncated: got {len(content):,} of {stop - start:,} bytes from byte {start:,}")
    return content


def version_of(info: Mapping[str, Any]) -> str:
    """Return what changes with the content of an object, from what a file system states of it; empty if it states nothing."""
    return next((str(info[key]).strip('"') for key in _VERSIONS if info.get(key) is not None), "")


class _Stream(io.RawIOBase):
    """Reads an object by blocks."""

    def __init__(self, file: RemoteFile) -> None:
        self._file = file
        self._position = 0
        self._block: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._file.size}[whence]
        if start + offset < 0:
            raise OSError(f"negative seek position {start + offset}")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        with memoryview(buffer).cast("B") as target:
            done = 0
            while done < len(target) and self._position < self._file.size:
                number, offset = divmod(self._position, BLOCK)
                if self._block[0] != number:
                    self._block = (number, self._file.block(number))
                part = memoryview(self._block[1])[offset : offset + len(target) - done]
                target[done : done + len(part)] = part
                done += len(part)
                self._position += len(part)
            return done
