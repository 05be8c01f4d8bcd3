"""The files of a Parquet data set: one file, the files of a folder, or those that match a pattern."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from nnspec.data.data_files import DataFile, FileList
from nnspec.data.kinds import DataError
from nnspec.data.paths import MissingFileError, find_file
from nnspec.data.remote.urls import is_url, masked

_SUFFIXES = (".parquet", ".pq")


def find_parquet(text: str, folder: Path, root: Path) -> DataFile:
    """Resolve a file, a folder of Parquet files, or a pattern such as ``data/train-*.parquet``.

    Args:
        text: The path or URL as written.
        folder: The folder that it is relative to: that of the spec.
        root: The folder that it must not leave.

    Raises:
        MissingFileError: If there is no such file.
        DataError: If it may not be read.
    """
    pattern = PurePosixPath(text).name
    if is_url(text):
        return _at_url(text, pattern)
    if is_pattern(pattern):
        parent = str(PurePosixPath(text).parent)
        found = find_file(parent, folder, root, or_folder=True)
        names = [path.name for path in found.iterdir() if fnmatchcase(path.name, pattern)] if found.is_dir() else []
        if not names:
            raise MissingFileError(f"no file matches `{text}`", help=f"the folder is `{found}`")
        prefix = "" if parent == "." else f"{parent}/"
    else:
        found = find_file(text, folder, root, or_folder=True)
        if not found.is_dir():
            return found
        names = shard_names(path.name for path in found.iterdir())
        prefix = text.rstrip("/") + "/"
        if not names:
            raise DataError(f"the folder `{text}` contains no Parquet files", help=f"their names end with {_SUFFIXES[0]}")
    return FileList(text.rstrip("/"), {prefix + name: find_file(prefix + name, folder, root) for name in sorted(names)})


def _at_url(text: str, pattern: str) -> DataFile:
    from nnspec.data.remote.objects import find_object, find_objects, is_folder

    if "*" in pattern and "?" not in text:  # a question mark begins the query of a URL
        return FileList(masked(text), find_objects(text.rpartition("/")[0], pattern))
    if is_folder(text):
        return FileList(masked(text), find_objects(text, "*.parquet"))
    return find_object(text)


def is_pattern(name: str) -> bool:
    """Return whether a file name is a pattern of several names."""
    return "*" in name or "?" in name


def shard_names(names: Iterable[str]) -> list[str]:
    """Return the names of Parquet files, sorted; hidden files and those of other tools, such as ``_SUCCESS``, are left out."""
    return sorted(name for name in names if name.lower().endswith(_SUFFIXES) and name[0] not in "._")
