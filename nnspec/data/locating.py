"""What a path or a URL in a spec names."""

from __future__ import annotations

from pathlib import Path

from nnspec.data.data_files import DataFile
from nnspec.data.paths import find_file
from nnspec.data.remote.urls import is_url


def find_data(text: str, folder: Path, root: Path, *, or_folder: bool = False) -> DataFile:
    """Find the file that a path names, or the object that a URL names.

    Args:
        text: The path or URL as written.
        folder: The folder that a path is relative to: that of the spec.
        root: The folder that a path must not leave.
        or_folder: Whether folders are accepted too; a remote one is copied into the cache.

    Raises:
        MissingFileError: If it does not exist.
        DataError: If a path leaves the root, a URL is not allowed, or it cannot be read.
    """
    if is_url(text):
        from nnspec.data.remote.objects import find_object

        return find_object(text, or_folder=or_folder)
    return find_file(text, folder, root, or_folder=or_folder)
