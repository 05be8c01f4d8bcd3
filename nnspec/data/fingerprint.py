"""A digest of the data, so that a run can tell whether it goes on with the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from nnspec.data.plan import Source
from nnspec.data.readers.base import Table

__all__ = ["fingerprint"]

_BLOCK = 1 << 20


def fingerprint(source: Source, table: Table) -> str:
    """A digest of the bytes of the files, or of the values where a set has no files, and of how they are read."""
    digest = hashlib.blake2b(digest_size=16)
    arguments = source.reader.model_dump(mode="json", exclude=set(source.reader.paths))
    digest.update(f"{type(source.reader).__name__} {sorted(arguments.items())}".encode())
    for block in _of_files(source.files) if source.files else _of_values(table):
        digest.update(block)
    return f"blake2b:{digest.hexdigest()}"


def _of_files(files: dict[str, Path] | object) -> Iterable[bytes]:
    assert isinstance(files, dict)
    for argument, path in files.items():
        yield f"\0{argument}\0{path.stat().st_size}\0".encode()
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block


def _of_values(table: Table) -> Iterable[bytes]:
    for name in table.columns:
        values = table.read(name, slice(None))
        yield f"\0{name}\0{values.dtype.str}\0{values.shape}\0".encode()
        yield values.tobytes()
