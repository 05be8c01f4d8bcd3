"""Folders with one file per example, and optionally one subfolder per class."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnspec.data.kinds import DataError
from nnspec.spec.dumping import flow
from nnspec.types import listed

_LITTER = ("thumbs.db", "desktop.ini", "__macosx", "icon\r")
_SPLITS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing", "eval", "holdout"),
}
_OTHER_IMAGES = {".gif", ".bmp", ".webp", ".tif", ".tiff", ".heic", ".avif", ".jfif", ".ppm", ".pgm", ".svg"}


@dataclass(frozen=True)
class Found:
    """The files of a folder, sorted by name.

    Attributes:
        paths: The files.
        classes: The names of the class folders; empty if the files are in the folder itself.
        labels: The class of each file, as an index into `classes`.
    """

    paths: list[Path]
    classes: list[str]
    labels: list[int]


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, sorted by name; hidden files are skipped.

    Raises:
        DataError: If a link leads out of the folder, or an entry is neither a file nor a folder.
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
        path = Path(entry.path)
        if entry.is_symlink() and not (inside(path, root) and path.is_file()):
            raise DataError(f"the link `{path.relative_to(root)}` leads out of `{root.name}`", help="replace it by a copy")
        if entry.is_dir():
            yield from _walk(path, root)
        elif entry.is_file():
            yield path
        else:
            reason = f"`{path.relative_to(root)}` is a device or a pipe, not a regular file"
            raise DataError(reason, help="remove it from the folder")


def inside(path: Path, root: Path) -> bool:
    """Whether a path is below a folder after resolving links."""
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Whether a path is a regular file; False if the name is too long."""
    try:
        return path.is_file()
    except OSError:
        return False


def _unsupported(others: Sequence[Path], root: Path, folder: str, suffixes: Collection[str], argument: str) -> DataError:
    """The error of files of other kinds: all at once, since they are mended one by one otherwise."""
    supported = ", ".join(sorted(suffixes))
    first = f"`{others[0].relative_to(root)}`"
    found = {path.suffix.lower() for path in others}
    if len(others) == 1:
        reason = f"{first} in `{folder}` has an unsupported extension; supported: {supported}"
    else:
        kinds = listed(sorted(kind or "none" for kind in found))
        rest = f"{len(others) - 1:,} other file{'s' if len(others) > 2 else ''}"
        reason = f"{first} and {rest} in `{folder}` have unsupported extensions ({kinds}); supported: {supported}"
    it = "it" if len(others) == 1 else "them"
    help = f"convert {it} to PNG or JPEG" if found <= _OTHER_IMAGES else f"move {it} out of the folder"
    if found & _OTHER_IMAGES and not found <= _OTHER_IMAGES:
        help = "convert images to PNG or JPEG, and move other files out of the folder"
    return DataError(reason, help=help, argument=argument)


def examples_in(folder: Path, suffixes: Collection[str], *, argument: str) -> Found:
    """Return the examples in a folder: one subfolder per class, or only files.

    Args:
        folder: The folder.
        suffixes: The supported extensions, in lowercase.
        argument: The reader's argument that names the folder.

    Raises:
        DataError: If the folder is empty or contains other files.
    """
    root = folder.resolve()
    found = list(files_below(root))
    if others := [path for path in found if path.suffix.lower() not in suffixes]:
        raise _unsupported(others, root, folder.name, suffixes, argument)
    parts = [path.relative_to(root).parts for path in found]
    loose = [names[0] for names in parts if len(names) == 1]
    classes = sorted({names[0] for names in parts if len(names) > 1})
    if loose and classes:
        reason = f"`{folder.name}` contains both files (`{loose[0]}`) and class folders (`{classes[0]}`)"
        raise DataError(reason, help="move every file into the folder of its class", argument=argument)
    folders = [entry.name for entry in os.scandir(root) if entry.is_dir()]
    empty = [name for name in folders if name[0] != "." and name.lower() not in _LITTER and name not in classes]
    if empty and not loose:
        reason = f"the class folder `{folder.name}/{min(empty)}` contains no examples"
        raise DataError(reason, help="add files to it, or remove it", argument=argument)
    if not found:
        help = "name the folder that contains the files or the class folders"
        raise DataError(f"the folder `{folder.name}` contains no examples", help=help, argument=argument)
    places = {name: i for i, name in enumerate(classes)}
    labels = [places[names[0]] for names in parts] if classes else []
    return Found(found, [_text_of(name) for name in classes], labels)


def _text_of(name: str) -> str:
    """Escape bytes of a file name that are not UTF-8, because class names are written to UTF-8 files."""
    return os.fsencode(name).decode(errors="backslashreplace")


def splits_in(folder: Path) -> dict[str, str]:
    """Return the subfolders that look like splits of the data: the name of each by its split.

    Args:
        folder: The folder, such as one with the subfolders ``train`` and ``val``.
    """
    return {part: name for part, names in _SPLITS.items() for name in subfolders(folder) if name.lower() in names}


def doubts_of_classes(folder: Path, written: str, reader: str) -> DataError | None:
    """Return why subfolders are probably not classes, and which folder is probably meant; None if they may be classes.

    Args:
        folder: The folder.
        written: The path as written in the spec.
        reader: The reader's name, for the help.
    """
    classes = subfolders(folder)
    written = written.rstrip("/") or written
    parts = splits_in(folder)
    if len(parts) > 1 or (len(parts) == 1 and len(classes) == 1):
        listed = ", ".join(f"`{name}`" for name in classes[:4])
        lines = ", ".join(f"`{part}: {flow({reader: f'{written}/{name}'})}`" for part, name in parts.items())
        reason = f"the class folders in `{written}` are {listed}, which look like splits of the data"
        return DataError(reason, help=f"write {lines}, with the reader's other arguments", argument="folder")
    inside_first = flow(f"{written}/{classes[0]}") if classes else ""
    below = {name: subfolders(folder / name) for name in classes[:20]}
    if len(classes) == 1:
        [inner] = below.values()
        reason = f"all examples belong to one class, `{classes[0]}`, the only folder in `{written}`"
        help = "name a folder that contains one folder per class"
        if len(inner) > 1:
            help = f"if its subfolders are the classes, write `{reader}: {inside_first}`"
        return DataError(reason, help=help, argument="folder")
    first = next(iter(below.values()), [])
    if len(first) > 1 and all(inner == first for inner in below.values()):
        listed = ", ".join(f"`{name}`" for name in first[:4])
        reason = f"every class folder of `{written}` contains the same subfolders, {listed}, which are ignored"
        help = f"if the subfolders are the classes, name their parent: `{reader}: {inside_first}`"
        return DataError(reason, help=help, argument="folder")
    return None


def subfolders(folder: Path) -> list[str]:
    """Return the names of the folders in a folder, sorted, without hidden ones; empty if it cannot be read."""
    try:
        entries = [entry.name for entry in os.scandir(folder) if entry.is_dir()]
    except OSError:
        return []
    return sorted(name for name in entries if not name.startswith(".") and name.lower() not in _LITTER)
