"""What a URL in a spec names: an object, several objects, or a folder that is copied into the cache."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

from nnspec.data.kinds import DataError
from nnspec.data.paths import MissingFileError, RemoteError
from nnspec.data.remote.cache import key_of, the_cache
from nnspec.data.remote.remote_file import BLOCK, RemoteFile, read_range, version_of
from nnspec.data.remote.requests import file_system, request
from nnspec.data.remote.urls import masked, require_allowed
from nnspec.diagnostics import NnspecError

_AT_ONCE = 16
"""The number of small objects that are read at the same time."""

_UNKNOWN_SIZE = 2**28
"""The size of an object whose server does not state it, for the time limit."""

_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def _info(url: str) -> Mapping[str, Any]:
    system, path = file_system(url)
    found: Mapping[str, Any] = request(url, lambda: system.info(path))
    return found


def _found(url: str, info: Mapping[str, Any]) -> RemoteFile:
    size, version = info.get("size"), version_of(info)
    if isinstance(size, int) and version:
        return RemoteFile(url, size, version)
    # A server that states neither: only the content shows whether it changed.
    system, path = file_system(url)
    content: bytes = request(url, lambda: system.cat_file(path), size=size if isinstance(size, int) else _UNKNOWN_SIZE)
    made = RemoteFile(url, len(content), hashlib.blake2b(content, digest_size=16).hexdigest())
    for number, start in enumerate(range(0, len(content), BLOCK)):
        the_cache().put(key_of(url, made.size, made.version, number), content[start : start + BLOCK])
    return made


def current(file: RemoteFile) -> RemoteFile:
    """Return an object as it is now.

    Raises:
        MissingFileError: If it does not exist any more.
        DataError: If it cannot be read.
    """
    return _found(file.url, _info(file.url))


def find_object(text: str, *, or_folder: bool = False) -> RemoteFile | Path:
    """Find what a URL in a spec names: an object, or a folder, which is copied into the cache.

    Args:
        text: The URL as written.
        or_folder: Whether folders are accepted too.

    Raises:
        MissingFileError: If it does not exist.
        DataError: If the URL is not allowed, or cannot be read.
    """
    url = require_allowed(text)
    info = _info(url)
    if info.get("type") == "directory":
        if not or_folder:
            raise DataError(f"`{masked(url)}` is a folder, not an object", help="name an object in it")
        return _copied(url)
    return _found(url, info)


def find_objects(text: str, pattern: str) -> dict[str, RemoteFile]:
    """Find the objects of a folder whose names match a pattern, in the order of their names.

    Args:
        text: The URL of the folder as written.
        pattern: The pattern, such as ``*.parquet``.

    Raises:
        MissingFileError: If there is none.
        DataError: If the URL is not allowed, or cannot be read.
    """
    url = require_allowed(text.rstrip("/") + "/")
    found: dict[str, RemoteFile] = {}
    for name, info in sorted(_listed(url, below=False).items()):
        if fnmatchcase(name, pattern) and name[0] not in "._":
            found[masked(url + name)] = _found(url + name, info)
    if not found:
        raise MissingFileError(f"no object matches `{masked(url)}{pattern}`", help="check the URL")
    return found


def is_folder(text: str) -> bool:
    """Return whether an allowed URL names a folder.

    Raises:
        MissingFileError: If it does not exist.
        DataError: If the URL is not allowed, or cannot be read.
    """
    url = require_allowed(text)
    return url.endswith("/") or _info(url).get("type") == "directory"


def _listed(url: str, *, below: bool) -> dict[str, Mapping[str, Any]]:
    """Return what a folder contains, by the path in it."""
    system, path = file_system(url)
    root = path.rstrip("/") + "/"
    if below:
        found = request(url, lambda: system.find(path, detail=True)).values()
    else:
        found = [info for info in request(url, lambda: system.ls(path, detail=True)) if info.get("type") != "directory"]
    names = {str(info["name"]).removeprefix(root): info for info in found if str(info["name"]).startswith(root)}
    return {name: info for name, info in names.items() if name and not name.endswith("/")}


def _copied(url: str) -> Path:
    """Copy a folder of small files into the cache."""
    url = url.rstrip("/") + "/"
    listed = {name: info for name, info in _listed(url, below=True).items() if not _is_hidden(name)}
    if not listed:
        raise MissingFileError(f"there are no objects below `{masked(url)}`", help="check the URL")
    unsafe = next((name for name in listed if not _is_safe(name)), None)
    if unsafe is not None:
        raise RemoteError(f"`{masked(url)}` contains an object with the name {unsafe[:100]!r}, which is no path")
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="objects") as pool:
        files = dict(zip(listed, pool.map(lambda one: _found(url + one[0], one[1]), listed.items()), strict=True))

    def write(folder: Path) -> None:
        def copy(item: tuple[str, RemoteFile]) -> None:
            name, file = item
            path = folder / shown / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(request(file.url, lambda: read_range(file, 0, file.size), size=file.size) if file.size else b"")

        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="objects") as pool:
            list(pool.map(copy, files.items()))

    # Messages show the name of the folder.
    shown = _NAME.sub("_", url.rstrip("/").rpartition("/")[2]) or "data"
    key = key_of(url, *(f"{name} {file.stamp}" for name, file in sorted(files.items())))
    try:
        path = the_cache().tree(key, sum(file.size for file in files.values()), write)
    except NnspecError as error:
        message, _, help = str(error).partition("\n  = help: ")
        raise RemoteError(f"`{masked(url)}` cannot be read: {message}", help=help) from None
    return path / shown


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/") if part != "..")


def _is_safe(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and not name.startswith("/") and ".." not in parts and "\0" not in name and "\\" not in name
