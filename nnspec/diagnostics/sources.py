"""Texts of files: from the disk, or from memory if they are not, or not yet, there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType

_in_memory: ContextVar[Mapping[Path, str]] = ContextVar("in_memory", default=MappingProxyType({}))


@contextmanager
def in_memory(texts: Mapping[Path, str]) -> Iterator[None]:
    """Use texts in place of files of the same path, which need not exist: an editor's buffers, standard input."""
    token = _in_memory.set({**_in_memory.get(), **{path.resolve(): text for path, text in texts.items()}})
    try:
        yield
    finally:
        _in_memory.reset(token)


def text_in_memory(file: str | Path) -> str | None:
    """Return the text that is used in place of a file, or None if there is none."""
    texts = _in_memory.get()
    return texts.get(Path(file).resolve()) if texts else None


def source_text(file: str | Path) -> str | None:
    """Return the text of a file with its own line breaks, or None if it cannot be read."""
    if (text := text_in_memory(file)) is not None:
        return text
    try:
        return Path(file).read_bytes().decode("utf-8-sig") if Path(file).is_file() else None
    except (OSError, ValueError):
        return None
