"""The cache of remote data on disk: blocks of objects, and folders of small files, up to a size limit."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nnspec.diagnostics import NnspecError

FOLDER = "NNSPEC_CACHE"
SIZE = "NNSPEC_CACHE_SIZE"
_DEFAULT_SIZE = 20 * 10**9
_DIGEST_BYTES = 16
_KEPT = 0.8
"""The fraction of the limit that is kept when the oldest entries are removed."""

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE_TEXT = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?B?)", re.IGNORECASE)


def size_limit() -> int:
    """Return the limit in bytes, from the variable `NNSPEC_CACHE_SIZE`.

    Raises:
        NnspecError: If the variable is not a size.
    """
    text = os.environ.get(SIZE, "").strip()
    if not text:
        return _DEFAULT_SIZE
    found = _SIZE_TEXT.fullmatch(text)
    if found is None:
        raise NnspecError(f"{SIZE} is `{text[:40]}`, not a size\n  = help: write a number and a unit: `20GB`")
    unit = found[2].upper()
    return int(float(found[1]) * _UNITS[unit if unit.endswith("B") or not unit else unit + "B"])


def cache_folder() -> Path:
    """Return the folder of the cache, from the variable `NNSPEC_CACHE`."""
    given = os.environ.get(FOLDER)
    if given:
        return Path(given).expanduser().absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().absolute() / "nnspec"


@dataclass(frozen=True)
class _Entry:
    path: Path
    size: int
    used: float


class Cache:
    """Blocks and folders by a digest of their URL, version and place.

    Each block is stored with a digest of its content; a damaged one counts as absent. Several processes may share a cache.

    Args:
        folder: The folder of the cache.
        limit: Its maximum size in bytes.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit
        self._lock = threading.Lock()
        self._size: int | None = None

    def get(self, key: str) -> bytes | None:
        """Return a block; None if it is absent or damaged."""
        path = self._path(key)
        try:
            stored = path.read_bytes()
        except OSError:
            return None
        content, digest = stored[:-_DIGEST_BYTES], stored[-_DIGEST_BYTES:]
        if _digest(content) != digest:
            path.unlink(missing_ok=True)
            return None
        with suppress(OSError):
            os.utime(path)
        return content

    def put(self, key: str, content: bytes) -> None:
        """Store a block. A disk that is full or read-only is no error: the block is then read again when it is needed."""
        if len(content) + _DIGEST_BYTES > self.limit:
            return
        path = self._path(key)
        beside = path.with_name(f".{key}.{os.getpid()}.{threading.get_ident()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with beside.open("wb") as file:
                file.write(content)
                file.write(_digest(content))
            beside.replace(path)
        except OSError:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
            return
        self._added(len(content) + _DIGEST_BYTES)

    def tree(self, key: str, size: int, write: Callable[[Path], None]) -> Path:
        """Return a folder of files, written if it is absent. It is not removed while this process runs.

        Args:
            key: Its key.
            size: The size of its files in bytes.
            write: Writes the files into an empty folder.

        Raises:
            NnspecError: If it is larger than the cache, or cannot be written.
        """
        if size > self.limit:
            reason = f"the files have {size:,} bytes, and the cache is limited to {self.limit:,}"
            raise NnspecError(f"{reason}\n  = help: set {SIZE}, or convert them to shards with `nnspec data convert`")
        path = self.folder / "folders" / key
        beside = path.with_name(f".{key}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._use(path)
            if not path.is_dir():
                shutil.rmtree(beside, ignore_errors=True)
                beside.mkdir()
                write(beside)
                with suppress(OSError):  # another process was faster
                    beside.rename(path)
                self._added(size)
            os.utime(path)
        except OSError as error:
            raise NnspecError(f"the cache {self.folder} cannot be written: {error.strerror or error}") from None
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return path

    def clear(self) -> int:
        """Remove everything that no running process uses, and return the number of bytes."""
        return self._shrink(0)

    def entries(self) -> Iterator[_Entry]:
        """Yield the blocks and folders."""
        for path in (self.folder / "blocks").glob("*/*"):
            with suppress(OSError):
                state = path.stat()
                yield _Entry(path, state.st_size, state.st_mtime)
        for path in (self.folder / "folders").glob("*"):
            if path.is_dir():
                with suppress(OSError):
                    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
                    yield _Entry(path, size, path.stat().st_mtime)

    def _path(self, key: str) -> Path:
        return self.folder / "blocks" / key[:2] / key

    def _added(self, size: int) -> None:
        with self._lock:
            if self._size is None:
                self._size = sum(entry.size for entry in self.entries())
            else:
                self._size += size
            if self._size <= self.limit:
                return
            self._size = None
        self._shrink(int(_KEPT * self.limit))

    def _shrink(self, most: int) -> int:
        """Remove the entries that were not used for the longest time, until at most some bytes are left."""
        entries = sorted(self.entries(), key=lambda entry: entry.used)
        left = sum(entry.size for entry in entries)
        removed = 0
        for entry in entries:
            if left - removed <= most:
                break
            if entry.path.is_dir():
                if not self._free(entry.path):
                    continue
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                entry.path.unlink(missing_ok=True)
            removed += entry.size
        with self._lock:
            self._size = left - removed
        return removed

    def _use(self, path: Path) -> None:
        """Mark a folder as in use, until the process ends."""
        try:
            import fcntl
        except ImportError:
            return  # Windows does not remove files in use
        # The lock is that of the process: it ends with it.
        fcntl.flock(os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600), fcntl.LOCK_SH)

    def _free(self, path: Path) -> bool:
        """Whether no process uses a folder."""
        try:
            import fcntl
        except ImportError:
            return True
        try:
            with path.with_suffix(".lock").open("w") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


_caches: dict[tuple[Path, int], Cache] = {}


def the_cache() -> Cache:
    """Return the cache that the environment names."""
    key = (cache_folder(), size_limit())
    return _caches.setdefault(key, Cache(*key))


def key_of(*parts: object) -> str:
    """Return the key of an entry."""
    return hashlib.blake2b("\0".join(map(str, parts)).encode(errors="surrogateescape"), digest_size=20).hexdigest()


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest()
