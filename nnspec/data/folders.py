"""Folders of examples: a file each, and where there are folders in it, a folder a class."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from nnspec.data.kinds import DataError

__all__ = ["Found", "examples_in", "files_below", "inside"]

_LITTER = ("Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Found:
    """The files of a folder, in the order of their names.

    Attributes:
        paths: The files.
        classes: The names of the folders that are classes; none where the files lie in the folder itself.
        labels: The class of each file, by its place in `classes`.
    """

    paths: list[Path]
    classes: list[str]
    labels: list[int]


def files_below(folder: Path) -> Iterator[Path]:
    """The files of a folder and of those in it, in the order of their names; hidden ones are passed over.

    Raises:
        DataError: Where a link leads out of the folder, or something is there that is neither file nor folder.
    """
    yield from _walk(folder, folder.resolve())


def _walk(folder: Path, root: Path) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise DataError(f"`{folder.name}` cannot be read: {error.strerror}") from None
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _LITTER:
            continue
        path = Path(entry.path)
        if entry.is_symlink() and not (inside(path, root) and path.is_file()):
            raise DataError(f"the link `{path.relative_to(root)}` leads out of `{root.name}`", help="copy what it leads to")
        if entry.is_dir():
            yield from _walk(path, root)
        elif entry.is_file():
            yield path
        else:
            raise DataError(f"`{path.relative_to(root)}` is a device or a pipe, not an ordinary file")


def inside(path: Path, root: Path) -> bool:
    """Whether a path, links followed, is below a folder."""
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError, ValueError):
        return False


def examples_in(folder: Path, suffixes: Collection[str], *, argument: str) -> Found:
    """The examples of a folder: a folder a class, or files alone.

    Args:
        folder: The folder.
        suffixes: How their names may end, small letters.
        argument: The argument that names the folder, for messages.

    Raises:
        DataError: Where it holds something else, or nothing.
    """
    root = folder.resolve()
    found = list(files_below(root))
    for path in found:
        if path.suffix.lower() not in suffixes:
            listed = ", ".join(sorted(suffixes))
            reason = f"`{path.relative_to(root)}` in `{folder.name}` is no example: it ends with none of {listed}"
            raise DataError(reason, help="move it out of the folder", argument=argument)
    parts = [path.relative_to(root).parts for path in found]
    alone = [names[0] for names in parts if len(names) == 1]
    classes = sorted({names[0] for names in parts if len(names) > 1})
    if alone and classes:
        reason = f"`{folder.name}` holds files (`{alone[0]}`) beside folders of classes (`{classes[0]}`)"
        raise DataError(reason, help="put every file into the folder of its class", argument=argument)
    empty = [e.name for e in os.scandir(root) if e.is_dir() and not e.name.startswith(".") and e.name not in classes]
    if empty and not alone:
        reason = f"the folder `{folder.name}/{min(empty)}` holds no example"
        raise DataError(reason, help="a folder stands for a class: fill it, or take it away", argument=argument)
    if not found:
        raise DataError(f"the folder `{folder.name}` holds no example", argument=argument)
    places = {name: i for i, name in enumerate(classes)}
    labels = [places[names[0]] for names in parts] if classes else []
    return Found(found, [_text_of(name) for name in classes], labels)


def _text_of(name: str) -> str:
    """A file's name as text: bytes that are not UTF-8 are escaped, since the name of a class goes into files that are."""
    return os.fsencode(name).decode(errors="backslashreplace")
