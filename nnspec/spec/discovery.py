"""Search for specs in folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from nnspec.diagnostics import Diagnostic, Span
from nnspec.spec import problems as p

SUFFIXES = (".nnspec.yaml", ".nnspec.yml")
"""File name suffixes of specs."""


def find_specs(paths: Iterable[Path], problems: list[Diagnostic]) -> list[Path]:
    """Return the given files, and for each folder the specs below it, sorted by name and without duplicates.

    Hidden folders (``.git``, ``.venv``) are skipped, and links to folders are not followed.

    Args:
        paths: Files and folders.
        problems: List to which folders without a spec are reported.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not _is_folder(path):
            found[path] = None
            continue
        below = sorted(_below(path))
        if not below:
            help = f"pass a file, or use the suffix `{SUFFIXES[0]}` for specs"
            problems.append(p.NoSpecInFolder.at(Span.whole(str(path)), help=help))
        found |= dict.fromkeys(below)
    return list(found)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False  # reading it as a file reports the reason


def _below(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(parent, name) for name in files if name.endswith(SUFFIXES))
