"""Paths in a spec: regular files below the project root."""

from __future__ import annotations

import os
import re
from pathlib import Path

from nnspec.data.kinds import DataError

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


class MissingFileError(DataError):
    """The path is valid, but the file does not exist."""


class RemoteError(DataError):
    """A remote object that cannot be read."""


def find_file(text: str, folder: Path, root: Path, *, or_folder: bool = False) -> Path:
    """Resolve a path in a spec, following symbolic links.

    Args:
        text: The path as written.
        folder: The folder that it is relative to: that of the spec.
        root: The folder that it must not leave.
        or_folder: Whether folders are accepted too.

    Raises:
        MissingFileError: If the file does not exist.
        DataError: If the path leaves the root, is a URL, or is not a readable regular file.
    """
    if URL.match(text):
        raise DataError(f"`{text}` is a URL; this is read from local files", help="download the file and write its path")
    if not text.strip() or "\0" in text:
        raise DataError("the path is empty" if not text.strip() else "the path contains a null character")
    if text.startswith("~"):
        raise DataError(f"`~` is not expanded in `{text}`", help="write the path relative to the spec's folder")
    try:
        path = (folder / text).resolve()
        inside = path.is_relative_to(root.resolve())
    except (OSError, RuntimeError) as error:
        raise DataError(f"`{text}` cannot be resolved: {_reason(error)}") from None
    if not inside:
        help = f"move the file below `{root}`, or set another root with `--root FOLDER`"
        raise DataError(f"`{text}` is outside the project root", help=help)
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
        raise MissingFileError(f"there is no {kind} `{text}`", help=f"the path resolves to `{path}`")
    if not path.is_file() and not path.is_dir():
        raise DataError(f"`{text}` is a device or a pipe, not a regular file")
    if not os.access(path, os.R_OK):
        raise DataError(f"`{text}` cannot be read: permission denied", help="change its permissions")


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
