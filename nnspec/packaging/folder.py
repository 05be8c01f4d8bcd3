"""The folder of a package, which is written completely or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from nnspec.diagnostics import NnspecError
from nnspec.files import is_free


def check_free(out: Path) -> None:
    """Checks that a folder does not exist, or is empty.

    Raises:
        NnspecError: If it has files.
    """
    if not is_free(out):
        raise NnspecError(f"{out} already exists\n  = help: name a new folder with -o")


@contextmanager
def folder_beside(out: Path) -> Iterator[Path]:
    """A temporary folder, from which the package is moved to its place.

    Raises:
        NnspecError: If the folder cannot be written.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as beside:
            yield Path(beside)
    except OSError as error:
        raise NnspecError(f"cannot write {out}: {error.strerror or error}") from error


def write_folder(out: Path, beside: Path, files: Mapping[str, bytes]) -> None:
    """Writes files, by their paths, in the temporary folder, and moves them to their place."""
    whole = beside / "package"
    for name, content in files.items():
        (whole / name).parent.mkdir(parents=True, exist_ok=True)
        (whole / name).write_bytes(content)
    if out.is_dir():
        out.rmdir()
    shutil.move(whole, out)
