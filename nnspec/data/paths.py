"""Paths that a spec names: below the project's root, and ordinary files."""

from __future__ import annotations

import os
import re
from pathlib import Path

from nnspec.data.kinds import DataError

__all__ = ["MissingFileError", "find_file"]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


class MissingFileError(DataError):
    """The path is a good one, but nothing is there (yet)."""


def find_file(text: str, folder: Path, root: Path, *, or_folder: bool = False) -> Path:
    """The file a path in a spec stands for, symbolic links followed.

    Args:
        text: The path as it is written.
        folder: What it is relative to: the spec's folder.
        root: What it may not leave.
        or_folder: Whether it may be a folder as well.

    Raises:
        MissingFileError: Where there is no such file.
        DataError: Where the path leaves the root, is a URL, or is no ordinary file that can be read.
    """
    if _URL.match(text):
        raise DataError(f"`{text}` is a URL; data are read from files", help="download it, and name the file")
    if not text.strip() or "\0" in text:
        raise DataError("the path is empty" if not text.strip() else "the path has a null character in it")
    if text.startswith("~"):
        raise DataError(f"`~` is not expanded in `{text}`", help="write the path relative to the spec's folder")
    try:
        path = (folder / text).resolve()
        inside = path.is_relative_to(root.resolve())
    except (OSError, RuntimeError) as error:
        raise DataError(f"`{text}` cannot be followed: {_reason(error)}") from None
    if not inside:
        help = f"move the file below `{root}`, or allow more: `--root FOLDER`"
        raise DataError(f"`{text}` leaves the project's root", help=help)
    try:
        _require_file(path, text, or_folder=or_folder)
    except OSError as error:
        raise DataError(f"`{text}` cannot be read: {_reason(error)}") from None
    return path


def _require_file(path: Path, text: str, *, or_folder: bool) -> None:
    if path.is_dir() and not or_folder:
        raise DataError(f"`{text}` is a directory, not a file", help="name a file in it")
    if not path.exists():
        kind = "file or folder" if or_folder else "file"
        raise MissingFileError(f"there is no {kind} `{text}`", help=f"it would be `{path}`")
    if not path.is_file() and not path.is_dir():
        raise DataError(f"`{text}` is a device or a pipe, not an ordinary file")
    if not os.access(path, os.R_OK):
        raise DataError(f"`{text}` cannot be read: permission denied", help="change its permissions")


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
