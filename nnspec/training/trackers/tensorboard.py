"""Logs for TensorBoard in the layout of Keras's callback, with separate runs for training and validation."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from nnspec.training.trackers.tracker import Tracker, TrackerError, numbers_of

if TYPE_CHECKING:
    from nnspec.training.run.folder import Run

_FOLDER = "tensorboard"
"""The subfolder of the run, which ``tensorboard --logdir runs`` finds."""

_PREFIXES = {"train": "", "validation": "val_"}
_LAST = "epoch_loss"
"""The event that is written last, so that an epoch with it is complete."""


class TensorBoard(Tracker):
    """The events of a run in its folder."""

    name = "tensorboard"

    def __init__(self, run: Run, state: Mapping[str, str]) -> None:
        del state
        self.state = {}
        self._folder = run.path / _FOLDER
        self.place = str(self._folder)
        self.epochs = _logged(self._folder / "train")
        self._writers: dict[str, EventFileWriter] = {}
        if not self.epochs:
            text = (run.path / "spec.yaml").read_text("utf-8")
            self._add("train", 0, text_pb("spec", "".join(f"    {line}\n" for line in text.splitlines())))

    def write(self, record: Mapping[str, Any]) -> None:
        values = numbers_of(record)
        for name in sorted(values, key=lambda name: name == "loss"):
            split = "validation" if name.startswith("val_") else "train"
            self._add(split, record["epoch"], scalar_pb(f"epoch_{name.removeprefix(_PREFIXES[split])}", values[name]))
        try:
            for split in reversed(self._writers):
                self._writers[split].flush()
        except OSError as error:
            raise TrackerError(f"cannot write {self._folder}: {error.strerror or error}") from error

    def end(self, run: Run) -> None:
        del run
        for writer in self._writers.values():
            writer.close()

    def _add(self, split: str, step: int, summary: Any) -> None:
        if split not in self._writers:
            self._writers[split] = EventFileWriter(str(self._folder / split))
        self._writers[split].add_event(Event(wall_time=time.time(), step=step, summary=summary))


def _logged(folder: Path) -> int:
    """Return the number of epochs in the events of a folder."""
    if not folder.is_dir():
        return 0
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    events.Reload()
    return max((event.step for event in events.Tensors(_LAST)), default=0) if _LAST in events.Tags()["tensors"] else 0
