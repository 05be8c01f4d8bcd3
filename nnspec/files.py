"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from nnspec.diagnostics import NnspecError

__all__ = ["write_whole"]


def write_whole(path: Path, content: bytes | str | Callable[[Path], object]) -> Path:
    """Writes a file beside its place and then puts it there, so that nobody ever sees half of it.

    Args:
        path: The file.
        content: What it holds, or what writes it to a path of the same suffix.

    Returns:
        The path.

    Raises:
        NnspecError: Where it cannot be written: no room, no permission, no such folder.
    """
    beside = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        if callable(content):
            content(beside)
        else:
            beside.write_bytes(content.encode() if isinstance(content, str) else content)
        beside.replace(path)
    except OSError as error:
        raise NnspecError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        beside.unlink(missing_ok=True)
    return path
