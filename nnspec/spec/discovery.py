"""The specs in a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from nnspec.diagnostics import Diagnostic, Span
from nnspec.spec import problems as p

__all__ = ["SUFFIXES", "find_specs"]

SUFFIXES = (".nnspec.yaml", ".nnspec.yml")
"""What the names of specs end with."""


def find_specs(paths: Iterable[Path], problems: list[Diagnostic]) -> list[Path]:
    """Files as they are, and for each folder the specs below it, by name; each file once.

    Hidden folders (``.git``, ``.venv``) are passed over, and links to folders are not followed.

    Args:
        paths: Files and folders.
        problems: A folder without a spec is said here.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not _is_folder(path):
            found[path] = None
            continue
        below = sorted(_below(path))
        if not below:
            help = f"name a file, or let a spec's name end with `{SUFFIXES[0]}`"
            problems.append(p.NoSpecInFolder.at(Span.whole(str(path)), help=help))
        found |= dict.fromkeys(below)
    return list(found)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False  # reading it as a file says why it cannot be read


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in files if name.endswith(SUFFIXES))
