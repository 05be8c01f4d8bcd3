"""Digests of the data, so that a run can detect whether its data changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnspec.data.data_files import FileList
from nnspec.data.folders import files_below
from nnspec.data.kinds import DataError
from nnspec.data.paths import MissingFileError
from nnspec.data.plan import Source
from nnspec.data.readers.base import Table
from nnspec.data.remote.remote_file import RemoteFile
from nnspec.data.remote.urls import masked

_BLOCK = 1 << 20
_REQUESTS = 8


@dataclass(frozen=True)
class Fingerprint:
    """The digests of one split.

    Attributes:
        whole: A digest of its reader's arguments and its files, or of its values if it has no files.
        files: A digest of each file, by its path as written in the spec.
    """

    whole: str
    files: Mapping[str, str]


def fingerprint(source: Source, table: Table) -> Fingerprint:
    """Compute the fingerprint of a split."""
    digest = hashlib.blake2b(digest_size=16)
    arguments = {name: value for name, value in source.reader.arguments().items() if name not in source.reader.paths}
    digest.update(f"{type(source.reader).__name__} {sorted(arguments.items())}".encode(errors="surrogateescape"))
    files = {}
    for name, path in files_of(source).items():
        files[name] = _of_file(path)
        digest.update(f"\0{name}\0{files[name]}".encode(errors="surrogateescape"))
    for block in _of_values(table, source.reader.columns_without_files(table.columns)):
        digest.update(block)
    return Fingerprint(f"blake2b:{digest.hexdigest()}", files)


def fingerprint_of_files(files: Mapping[str, Path | RemoteFile]) -> Fingerprint:
    """Compute the fingerprint of files that transforms read, by their paths as written in the spec."""
    digests = {name: _of_file(path) for name, path in sorted(files.items())}
    whole = hashlib.blake2b(repr(digests).encode(errors="surrogateescape"), digest_size=16)
    return Fingerprint(f"blake2b:{whole.hexdigest()}", digests)


class FileMonitor:
    """Detects changes to data files since its creation.

    A file with the same size and modification time is assumed to be unchanged; any other file is read.

    Args:
        sources: The splits whose files are monitored.
        files: Other monitored files, by their paths as written in the spec.
    """

    def __init__(self, sources: Iterable[Source], files: Mapping[str, Path | RemoteFile]) -> None:
        self._paths = {**{name: path for source in sources for name, path in files_of(source).items()}, **files}
        self._stamps = {
            name: path.stamp if isinstance(path, RemoteFile) else _stamp(path) for name, path in self._paths.items()
        }

    def touched(self) -> Iterator[str]:
        """Yield the files that were written or removed, by their paths as written in the spec."""
        remote = [name for name, path in self._paths.items() if isinstance(path, RemoteFile)]
        with ThreadPoolExecutor(_REQUESTS) if len(remote) > 1 else nullcontext() as pool:
            stamps = (map if pool is None else pool.map)(lambda name: _stamp(self._paths[name]), self._paths)
            yield from (name for name, stamp in zip(self._paths, stamps, strict=True) if stamp != self._stamps[name])

    def changed(self, digests: Mapping[str, str]) -> list[str]:
        """Return the files whose content changed.

        Args:
            digests: The original digest of each file.
        """
        changed = []
        for name in list(self.touched()):
            path = self._paths[name]
            try:
                stamp = _stamp(path)
                digest = _of_file(path) if isinstance(path, Path) else _of_stamp(str(stamp))
            except OSError:
                changed.append(name)
                continue
            if digest != digests[name]:
                changed.append(name)
            else:
                self._stamps[name] = stamp
        return changed


def _known_stamp(path: Path | RemoteFile) -> tuple[int, int, int] | str | None:
    return path.stamp if isinstance(path, RemoteFile) else _stamp(path)


def _stamp(path: Path | RemoteFile) -> tuple[int, int, int] | str | None:
    if isinstance(path, RemoteFile):
        return _remote_stamp(path)
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns, state.st_ino


def _remote_stamp(file: RemoteFile) -> str | None:
    from nnspec.data.remote.objects import current

    try:
        return current(file).stamp
    except MissingFileError:
        return None
    except DataError:
        # Whether it changed is not known. If it cannot be read either, the training stops where it is needed.
        return file.stamp


def _of_stamp(stamp: str) -> str:
    return hashlib.blake2b(stamp.encode(), digest_size=16).hexdigest()


def _of_file(path: Path | RemoteFile) -> str:
    if isinstance(path, RemoteFile):
        return _of_stamp(path.stamp)
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def files_of(source: Source) -> dict[str, Path | RemoteFile]:
    """Return every file of a split, including the files in folders, by its path as written in the spec."""
    found: dict[str, Path | RemoteFile] = {}
    for argument, text in source.reader.named_paths().items():
        path = (source.files or {})[argument]
        if isinstance(path, FileList):
            found |= path.files
        elif isinstance(path, Path) and path.is_dir():
            found |= {f"{text}/{file.relative_to(path).as_posix()}": file for file in files_below(path)}
        elif isinstance(path, Path | RemoteFile):
            found[masked(text)] = path
    return found


def _of_values(table: Table, columns: Iterable[str]) -> Iterator[bytes]:
    for name in columns:
        if table.columns[name].refused:
            yield f"\0{name}\0{table.columns[name].refused}\0".encode(errors="surrogateescape")
            continue
        values = table.read(name, slice(None))
        yield f"\0{name}\0{values.dtype.str}\0{values.shape}\0".encode(errors="surrogateescape")
        if values.dtype == object:  # its bytes are addresses
            yield from map(_of_value, values.ravel())
        else:
            yield values.tobytes()


def _of_value(value: Any) -> bytes:
    """A text, a list of texts, or an array."""
    if hasattr(value, "tobytes"):
        return f"{value.dtype.str}{value.shape}".encode() + bytes(value.tobytes())
    return f"{value!r}\0".encode(errors="surrogateescape")
