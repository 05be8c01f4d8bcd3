"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from nnspec.diagnostics import NnspecError
from nnspec.printable import printable

__all__ = ["is_free", "json_text", "to_disk", "write_whole"]


_HELP = dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some room on that disk") | {
    errno.EFBIG: "files may not grow so large here: see `ulimit -f`"
}


def is_free(path: Path) -> bool:
    """Whether a folder can be made at a path: nothing is there, or an empty folder."""
    return not path.exists() or (path.is_dir() and not any(path.iterdir()))


def write_whole(path: Path, content: bytes | str | Callable[[Path], object], *, durable: bool = False) -> Path:
    """Writes a file beside its place and then puts it there, so that nobody ever sees half of it.

    Args:
        path: The file.
        content: What it holds, or what writes it to a path of the same suffix.
        durable: Whether it must have reached the disk before this returns, and outlive a loss of power.

    Returns:
        The path.

    Raises:
        NnspecError: Where it cannot be written: no room, no permission, no such folder.
    """
    # Only what writes by the suffix needs it: a part that a kill leaves is then no file of its kind.
    suffix = path.suffix if callable(content) else ""
    beside = path.with_name(f".{path.stem}.{os.getpid()}.part{suffix}")
    try:
        if callable(content):
            content(beside)
        else:
            beside.write_bytes(content.encode() if isinstance(content, str) else content)
        if durable:
            to_disk(beside)
        beside.replace(path)
        if durable:
            to_disk(path.parent)
    except OSError as error:
        help = _HELP.get(error.errno or 0)
        raise NnspecError(
            f"cannot write {path}: {error.strerror or error}" + (f"\n  = help: {help}" if help else "")
        ) from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
    return path


def json_text(document: Any, *, indent: int | None = None, ascii: bool = False) -> str:
    """A document as JSON that is safe to encode and to show: what `printable` escapes is escaped as JSON has it.

    Example:
        >>> json_text({"file": "café-\\udcff.csv"})
        '{"file": "café-\\\\udcff.csv"}'
    """
    text = json.dumps(document, indent=indent, ensure_ascii=ascii).replace("##[", "##\\u005b")
    if printable(text) == text:
        return text
    return "".join(c if printable(c) == c else _as_number(c) for c in text)


def _as_number(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) > 0x7F else f"\\u{ord(character):04x}"


def to_disk(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    if path.is_dir() and os.name == "nt":
        return  # there a folder cannot be opened
    number = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)
