"""What a training writes into its run folder, and in which order, so that it can be killed at any moment."""

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

    from nnspec.training.run.tensorboard import Board

__all__ = ["CHECKPOINTS_KEPT", "CHECKPOINT_MINUTES", "RunWriter"]

CHECKPOINT_MINUTES = 10.0
"""How often a checkpoint is taken in the middle of an epoch where nothing else is said."""

CHECKPOINTS_KEPT = 3
"""How many of the newest checkpoints are kept where nothing else is said."""


class RunWriter:
    """Writes a run. A checkpoint always comes first: whatever else stands in the folder can be made again from it.

    Args:
        run: The run folder, begun.
        keep: How many of the newest checkpoints are kept.
        every_minutes: How often a checkpoint is taken in the middle of an epoch.
        tensorboard: Whether the metrics are written for TensorBoard too.

    Attributes:
        records: The records of the epochs that have ended.
        stopped_by: The signal that interrupted the training; None if none did.
    """

    def __init__(self, run: Run, *, keep: int, every_minutes: float, tensorboard: bool = False) -> None:
        self.run = run
        self.every_minutes = every_minutes
        self.checkpoints = Checkpoints(run.path / "checkpoints", keep)
        self.records: list[dict[str, Any]] = []
        self.stopped_by: Signals | None = None
        self._board: Board | None = None
        if tensorboard:
            from nnspec.training.run import tensorboard as events

            self._board = events.Board(run.path, (run.path / "spec.yaml").read_text("utf-8"))

    @property
    def conditions(self) -> Mapping[str, Any]:
        """What the bits of the result depend on."""
        return self.run.conditions

    def save(self, checkpoint: Checkpoint) -> None:
        """Writes a checkpoint.

        Raises:
            NnspecError: If it cannot be written, with the last one there is.
        """
        try:
            self.checkpoints.save(checkpoint)
        except NnspecError as error:
            files = self.checkpoints.files()
            last = f"the last checkpoint is {files[-1].name}" if files else "there is no checkpoint yet"
            raise NnspecError(f"{error}\n  = note: {last}") from None

    def write_weights(self, arrays: Mapping[str, NDArray[Any]], epoch: int) -> None:
        """Writes the best weights, which are those of an epoch; 0 where none has ended."""
        self.run = self.run.write_weights(arrays, epoch)

    def write_metrics(self) -> None:
        """Writes the log, and of TensorBoard's its last epoch."""
        self.run = self.run.write_metrics(self.records)
        if self._board is not None and self.records:
            self._board.write(self.records[-1])

    def weights(self) -> dict[str, NDArray[Any]]:
        """The best weights."""
        return self.run.weights()

    def weights_epoch(self) -> int | None:
        """The epoch that the best weights are of; None if there are none that can be read."""
        return self.run.weights_epoch()

    def restore_log(self, history: list[dict[str, Any]]) -> None:
        """Brings the log to what it was at a checkpoint, and takes away what a kill left half written."""
        self.records[:] = history
        self.write_metrics()
        for folder in (self.run.path, self.checkpoints.folder):
            for part in folder.glob(".*.part*"):
                part.unlink(missing_ok=True)

    def end(self, status: str, at: Position, monitor: str, reason: str, ended: str) -> Run:
        """Writes how the training ended, and its curves."""
        if self._board is not None:
            self._board.close()
        kept = self.weights_epoch() or 0
        best = None
        if 0 < kept <= len(self.records):
            metrics = self.records[kept - 1]
            # After a failed write these are the weights of an earlier epoch.
            value = at.best if kept == at.best_epoch else metrics.get(monitor)
            best = {"monitor": monitor, "value": value, "epoch": kept, "figures": metrics}
        if self.records:
            from nnspec.training.evaluation.curves import curves

            # Where it failed for want of room, what is said of it still finds some.
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
        return self.run
