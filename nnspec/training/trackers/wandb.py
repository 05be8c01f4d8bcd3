"""Runs in Weights & Biases, through its client."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import wandb

from nnspec.training.trackers.tracker import Tracker, numbers_of, settings_of, tracker_errors

if TYPE_CHECKING:
    from nnspec.training.run.folder import Run

_SERVICE = "Weights & Biases"


class WeightsAndBiases(Tracker):
    """A run in Weights & Biases.

    Without a connection (``WANDB_MODE=offline``), each process writes a folder of its own for ``wandb sync``, and the epochs
    that a record has are those of the run's log.
    """

    name = "wandb"

    def __init__(self, run: Run, state: Mapping[str, str]) -> None:
        logged = len(run.metrics()) if state else 0
        with tracker_errors(_SERVICE, "open the record"):
            self._run = wandb.init(
                project=state.get("project") or run.name,
                name=run.path.resolve().name,
                id=state.get("id"),
                resume="allow",
                config=settings_of(run),
                dir=str(run.path),
                settings=wandb.Settings(silent=True),
            )
        self.epochs = logged if self._run.offline else max(self._run.starting_step - 1, 0)
        self.state = {"id": str(self._run.id), "project": str(self._run.project)}
        self.place = str(self._run.url or self._run.dir)

    def write(self, record: Mapping[str, Any]) -> None:
        with tracker_errors(_SERVICE, "write a record"):
            self._run.log(numbers_of(record), step=record["epoch"])

    def end(self, run: Run) -> None:
        with tracker_errors(_SERVICE, "end the record"):
            if best := run.info.get("best"):
                self._run.summary[f"best_{best['monitor']}"] = best["value"]
            self._run.finish(exit_code=0 if run.status in ("finished", "stopped early") else 1)

    def write_model(self, run: Run, file: Path) -> bool:
        del run
        with tracker_errors(_SERVICE, "write the model"):
            self._run.log_model(str(file), name=file.stem)
            self._run.finish()
        return True
