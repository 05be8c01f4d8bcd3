"""A digest of the data, so that a run can tell whether it goes on with the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from nnspec.data.folders import files_below
from nnspec.data.plan import Source
from nnspec.data.readers.base import Table

__all__ = ["files_of", "fingerprint"]

_BLOCK = 1 << 20


def fingerprint(source: Source, table: Table) -> str:
    """A digest of the bytes of the files, or of the values where a set has no files, and of how they are read."""
    digest = hashlib.blake2b(digest_size=16)
    arguments = source.reader.model_dump(mode="json", exclude=set(source.reader.paths))
    digest.update(f"{type(source.reader).__name__} {sorted(arguments.items())}".encode())
    for block in _of_files(source) if source.files else _of_values(table):
        digest.update(block)
    return f"blake2b:{digest.hexdigest()}"


def _of_files(source: Source) -> Iterable[bytes]:
    for name, path in files_of(source).items():
        yield f"\0{name}\0{path.stat().st_size}\0".encode()
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block


def files_of(source: Source) -> dict[str, Path]:
    """Every file that a set of data is read from, by its path as the spec has it; a folder's files one by one."""
    found: dict[str, Path] = {}
    for argument, text in source.reader.named_paths().items():
        path = (source.files or {})[argument]
        if path.is_dir():
            found |= {f"{text}/{file.relative_to(path).as_posix()}": file for file in files_below(path)}
        else:
            found[text] = path
    return found


def _of_values(table: Table) -> Iterable[bytes]:
    for name in table.columns:
        values = table.read(name, slice(None))
        yield f"\0{name}\0{values.dtype.str}\0{values.shape}\0".encode()
        yield values.tobytes()
