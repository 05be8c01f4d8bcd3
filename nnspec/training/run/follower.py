"""What the processes other than the first write: nothing that stays."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nnspec.training.run.checkpoints import Checkpoint
from nnspec.training.run.folder import Run
from nnspec.training.run.writer import RunWriter


class Follower(RunWriter):
    """Writes into a folder of its own, without checkpoints: the first process writes them."""

    def save(self, checkpoint: Checkpoint) -> None:
        del checkpoint


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder that is removed at the end, for the run of a process that writes nothing."""
    folder = Path(tempfile.mkdtemp(prefix="nnspec-process-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def copy_of(run: Run, folder: Path) -> Run:
    """Copies a run, without its checkpoints.

    Args:
        run: The run.
        folder: The folder, which does not exist.
    """
    shutil.copytree(run.path, folder, ignore=shutil.ignore_patterns("checkpoints", "tensorboard"))
    return Run.open(folder)
