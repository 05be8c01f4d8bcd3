"""Atomic writes of files and folders."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nnspec.diagnostics import NnspecError

_HELP = dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free space on that disk") | {
    errno.EFBIG: "raise the file size limit: see `ulimit -f`"
}


def is_free(path: Path) -> bool:
    """Return whether a path does not exist or is an empty folder."""
    return not path.exists() or (path.is_dir() and not any(path.iterdir()))


def write_whole(path: Path, content: bytes | str | Callable[[Path], object], *, durable: bool = False) -> Path:
    """Write a file atomically: to a temporary file in the same folder, which is then renamed.

    Args:
        path: File to write.
        content: Content, or a function that writes it to a path with the same suffix.
        durable: Whether to flush it to the disk, so that it survives a power failure.

    Returns:
        The path.

    Raises:
        NnspecError: If it cannot be written: no space, no permission, no such folder.
    """
    # Without the suffix if possible, so that a file left by a killed process has no known type.
    suffix = path.suffix if callable(content) else ""
    beside = path.with_name(f".{path.stem}.{os.getpid()}.part{suffix}")
    try:
        if callable(content):
            content(beside)
        else:
            beside.write_bytes(content.encode() if isinstance(content, str) else content)
        if path.is_file():
            shutil.copymode(path, beside)
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


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Write a folder atomically: as a temporary folder beside it, which is then renamed.

    Args:
        folder: Folder to write.

    Yields:
        The temporary folder. It is removed if an error is raised.

    Raises:
        NnspecError: If the folder is not free, or cannot be written.
    """
    if not is_free(folder):
        raise NnspecError(f"{folder} is not empty\n  = help: name another folder")
    beside = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        yield beside
        if folder.is_dir():
            folder.rmdir()
        beside.replace(folder)
    except OSError as error:
        raise NnspecError(f"cannot write {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def to_disk(path: Path) -> None:
    """Flush a file, or the entries of a folder, to the disk."""
    if path.is_dir() and os.name == "nt":
        return  # folders cannot be opened on Windows
    number = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)
