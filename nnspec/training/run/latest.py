"""The link to the newest run of a model, ``runs/NAME/latest``."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

LATEST = "latest"


def link_latest(run: Path) -> None:
    """Let the link beside a run folder name this run. Systems without links have none.

    Args:
        run: The run folder, ``runs/NAME/TIME``.
    """
    beside = run.with_name(f".{LATEST}.{os.getpid()}.link")
    with suppress(OSError, NotImplementedError):
        try:
            beside.symlink_to(run.name, target_is_directory=True)
            beside.replace(run.with_name(LATEST))  # fails if that is a folder, such as a run of this name
        finally:
            beside.unlink(missing_ok=True)


def followed(path: Path) -> Path:
    """Return the run folder that the link names; another path is returned unchanged.

    So a file beside the run is named after the run, and a message names the folder that stays.

    Args:
        path: The path that was given.
    """
    if path.name != LATEST or not path.is_symlink():
        return path
    with suppress(OSError):
        return path.parent / path.readlink()
    return path
