"""Folders of examples: a file each, and where there are folders in it, a folder a class."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from nnspec.data.kinds import DataError
from nnspec.spec.dumping import flow

__all__ = ["Found", "doubts_of_classes", "examples_in", "files_below", "inside", "is_file"]

_LITTER = ("thumbs.db", "desktop.ini", "__macosx", "icon\r")
_PARTS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "eval", "holdout"),
}
_OTHER_IMAGES = (".gif", ".bmp", ".webp", ".tif", ".tiff", ".heic", ".avif", ".jfif", ".ppm", ".pgm", ".svg")


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
        if entry.name.startswith(".") or entry.name.lower() in _LITTER:
            continue
        _require_unicode(entry.name, folder)
        path = Path(entry.path)
        if entry.is_symlink() and not (inside(path, root) and path.is_file()):
            raise DataError(f"the link `{path.relative_to(root)}` leads out of `{root.name}`", help="copy what it leads to")
        if entry.is_dir():
            yield from _walk(path, root)
        elif entry.is_file():
            yield path
        else:
            reason = f"`{path.relative_to(root)}` is a device or a pipe, not an ordinary file"
            raise DataError(reason, help="remove it from the folder")


def _require_unicode(name: str, folder: Path) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(name).decode("utf-8", "backslashreplace")
        raise DataError(f"the file name `{shown}` in `{folder.name}` is not UTF-8", help="rename the file") from None


def inside(path: Path, root: Path) -> bool:
    """Whether a path, links followed, is below a folder."""
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Whether a path is an ordinary file; a name that is too long is none."""
    try:
        return path.is_file()
    except OSError:
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
            help = "convert it to PNG or JPEG" if path.suffix.lower() in _OTHER_IMAGES else "move it out of the folder"
            raise DataError(reason, help=help, argument=argument)
    parts = [path.relative_to(root).parts for path in found]
    alone = [names[0] for names in parts if len(names) == 1]
    classes = sorted({names[0] for names in parts if len(names) > 1})
    if alone and classes:
        reason = f"`{folder.name}` holds files (`{alone[0]}`) beside folders of classes (`{classes[0]}`)"
        raise DataError(reason, help="put every file into the folder of its class", argument=argument)
    folders = [entry.name for entry in os.scandir(root) if entry.is_dir()]
    empty = [name for name in folders if name[0] != "." and name.lower() not in _LITTER and name not in classes]
    if empty and not alone:
        reason = f"the folder `{folder.name}/{min(empty)}` holds no example"
        raise DataError(reason, help="a folder stands for a class: fill it, or take it away", argument=argument)
    if not found:
        help = "name the folder that holds the files, or the folders of the classes"
        raise DataError(f"the folder `{folder.name}` holds no example", help=help, argument=argument)
    places = {name: i for i, name in enumerate(classes)}
    labels = [places[names[0]] for names in parts] if classes else []
    return Found(found, [_text_of(name) for name in classes], labels)


def _text_of(name: str) -> str:
    """A file's name as text: bytes that are not UTF-8 are escaped, since the name of a class goes into files that are."""
    return os.fsencode(name).decode(errors="backslashreplace")


def doubts_of_classes(folder: Path, written: str, reader: str) -> DataError | None:
    """Why the folders in a folder are probably no classes, with the folder that is meant; None if they may be.

    Args:
        folder: The folder.
        written: The folder as the spec names it.
        reader: The reader's name, for the help.
    """
    classes = _folders_in(folder)
    written = written.rstrip("/") or written
    parts = {part: name for part, names in _PARTS.items() for name in classes if name.lower() in names}
    if len(parts) > 1 or (len(parts) == 1 and len(classes) == 1):
        listed = ", ".join(f"`{name}`" for name in classes[:4])
        lines = ", ".join(f"`{part}: {flow({reader: f'{written}/{name}'})}`" for part, name in parts.items())
        reason = f"the classes are {listed}, the folders in `{written}`, and these are names of parts of the data"
        return DataError(reason, help=f"write {lines}, with the reader's other arguments", argument="folder")
    inside_first = flow(f"{written}/{classes[0]}") if classes else ""
    below = {name: _folders_in(folder / name) for name in classes[:20]}
    if len(classes) == 1:
        [inner] = below.values()
        reason = f"all examples are of one class, `{classes[0]}`, the only folder in `{written}`"
        help = "name a folder that holds a folder for each class"
        if len(inner) > 1:
            help = f"if the classes are the folders in it, write `{reader}: {inside_first}`"
        return DataError(reason, help=help, argument="folder")
    first = next(iter(below.values()), [])
    if len(first) > 1 and all(inner == first for inner in below.values()):
        listed = ", ".join(f"`{name}`" for name in first[:4])
        reason = f"each class of `{written}` holds the same folders, {listed}, which count for nothing"
        help = f"if those are the classes, name one folder of them: `{reader}: {inside_first}`"
        return DataError(reason, help=help, argument="folder")
    return None


def _folders_in(folder: Path) -> list[str]:
    try:
        entries = [entry.name for entry in os.scandir(folder) if entry.is_dir()]
    except OSError:
        return []
    return sorted(name for name in entries if not name.startswith(".") and name.lower() not in _LITTER)
