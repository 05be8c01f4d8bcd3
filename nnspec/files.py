"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from nnspec.diagnostics import NnspecError

__all__ = ["is_free", "to_disk", "write_whole"]


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


def to_disk(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    if path.is_dir() and os.name == "nt":
        return  # there a folder cannot be opened
    number = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)
