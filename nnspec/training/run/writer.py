"""Writes the files of a run in an order that allows the process to be killed at any moment."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext, suppress
from signal import Signals
from typing import TYPE_CHECKING, Any

from nnspec.diagnostics import NnspecError
from nnspec.files import write_whole
from nnspec.training.loop.position import Position
from nnspec.training.run.checkpoints import Checkpoint, Checkpoints
from nnspec.training.run.folder import Run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nnspec.training.trackers.tracking import Tracking

CHECKPOINT_MINUTES = 10.0
"""The default minutes between checkpoints in the middle of an epoch."""

CHECKPOINTS_KEPT = 3
"""The default number of newest checkpoints to keep."""


def check_checkpointing(every_minutes: float | None, keep: int | None) -> None:
    """Check the options of checkpoints, before anything is written.

    Raises:
        NnspecError: If a value is not possible.
    """
    if every_minutes is not None and (not isinstance(every_minutes, int | float) or not 0 < every_minutes < float("inf")):
        raise NnspecError(f"checkpoint_every must be a number of minutes above 0, not {every_minutes!r}")
    if keep is not None and (isinstance(keep, bool) or not isinstance(keep, int) or keep < 1):
        raise NnspecError(f"keep must be a number from 1, not {keep!r}")


class RunWriter:
    """Writes a run. The checkpoint is written first, and all other files can be restored from it.

    Args:
        run: The run folder.
        keep: The number of newest checkpoints to keep.
        every_minutes: The minutes between checkpoints in the middle of an epoch.
        tracking: The trackers of the run.

    Attributes:
        records: The records of the completed epochs.
        stopped_by: The signal that interrupted the training; None if none did.
    """

    def __init__(self, run: Run, *, keep: int, every_minutes: float, tracking: Tracking) -> None:
        self.run = run
        self.every_minutes = every_minutes
        self.checkpoints = Checkpoints(run.path / "checkpoints", keep)
        self.records: list[dict[str, Any]] = []
        self.stopped_by: Signals | None = None
        self.tracking = tracking

    @property
    def conditions(self) -> Mapping[str, Any]:
        """What a bit-identical result depends on."""
        return self.run.conditions

    def save(self, checkpoint: Checkpoint) -> None:
        """Writes a checkpoint.

        Raises:
            NnspecError: If it cannot be written; the message names the last checkpoint.
        """
        try:
            self.checkpoints.save(checkpoint)
        except NnspecError as error:
            files = self.checkpoints.files()
            last = f"the last checkpoint is {files[-1].name}" if files else "there is no checkpoint yet"
            raise NnspecError(f"{error}\n  = note: {last}") from None

    def write_weights(self, arrays: Mapping[str, NDArray[Any]], epoch: int) -> None:
        """Writes the best weights and their epoch, which is 0 if none is complete."""
        self.run = self.run.write_weights(arrays, epoch)

    def write_metrics(self) -> None:
        """Writes the log, also to the trackers."""
        self.run = self.run.write_metrics(self.records)
        self.tracking.write(self.records)

    def weights(self) -> dict[str, NDArray[Any]]:
        """The best weights."""
        return self.run.weights()

    def weights_epoch(self) -> int | None:
        """The epoch of the best weights; None if there are no readable weights."""
        return self.run.weights_epoch()

    def restore_log(self, history: list[dict[str, Any]]) -> None:
        """Restores the log at a checkpoint, and removes incomplete files of a killed process."""
        self.records[:] = history
        self.write_metrics()
        for folder in (self.run.path, self.checkpoints.folder):
            for part in folder.glob(".*.part*"):
                part.unlink(missing_ok=True)

    def end(self, status: str, at: Position, monitor: str, reason: str, ended: str) -> Run:
        """Records how the training ended, and writes its learning curves."""
        kept = self.weights_epoch() or 0
        best = None
        if 0 < kept <= len(self.records):
            metrics = self.records[kept - 1]
            # After a failed write, the weights are of an earlier epoch.
            value = at.best if kept == at.best_epoch else metrics.get(monitor)
            best = {"monitor": monitor, "value": value, "epoch": kept, "figures": metrics}
        if self.records:
            from nnspec.training.run.curves import curves

            # If the disk is full, the status may still fit.
            with suppress(NnspecError) if status == "failed" else nullcontext():
                write_whole(self.run.path / "curves.png", curves(self.records, self.run.name, kept))
        seconds = round(at.seconds + at.epoch_seconds, 3)
        self.run = self.run.write_info(
            status=status,
            reason=reason,
            signal=self.stopped_by.name if self.stopped_by else None,
            ended=ended,
            seconds=seconds,
            epochs=at.epoch,
            steps=at.step,
            best=best,
        )
        self.tracking.end(self.run, self.records)
        return self.run
