"""The runs in a folder, for a list of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nnspec.diagnostics import NnspecError
from nnspec.training.run.files import INFO
from nnspec.training.run.folder import Run

_DEEPEST = 4
"""The levels of folders that are searched."""


def find_runs(folder: str | Path) -> list[Path]:
    """Return the run folders in a folder and its subfolders, newest first, without links such as ``latest``.

    Raises:
        NnspecError: If the folder does not exist.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise NnspecError(f"there is no folder {folder}\n  = help: `nnspec train SPEC` writes runs to runs/NAME/TIME")
    return sorted(_runs(folder, _DEEPEST), key=_created, reverse=True)


def _created(path: Path) -> tuple[int, str]:
    """When a run was created, more exactly than its record says: its spec is written then, and when it is extended."""
    file = path / "spec.yaml"
    return (file.stat().st_mtime_ns if file.is_file() else 0), str(path)


def _runs(folder: Path, levels: int) -> Iterator[Path]:
    if (folder / INFO).is_file():
        yield folder
        return
    with os.scandir(folder) as entries:
        inner = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    for each in inner if levels else ():
        yield from _runs(each, levels - 1)


def summary(path: Path) -> dict[str, Any]:
    """Return the facts of a run that a list shows; of a damaged run, what is wrong with it.

    Args:
        path: The run folder.
    """
    try:
        info = Run.open(path).info
    except NnspecError as error:
        return {"run": str(path), "status": "damaged", "reason": str(error).partition("\n")[0]}
    best = info.get("best") or {}
    return {
        "run": str(path),
        "name": info["name"],
        "status": info["status"],
        "started": info.get("started", ""),
        "seconds": info.get("seconds", 0.0),
        "epochs": info.get("epochs", 0),
        "best_epoch": best.get("epoch"),
        "metrics": {name: value for name, value in best.get("figures", {}).items() if isinstance(value, int | float)},
        "monitor": best.get("monitor"),
        "value": best.get("value"),
    }
