"""Logs for TensorBoard in the layout of Keras's callback, with separate runs for training and validation."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from nnspec.diagnostics import NnspecError

FOLDER = "tensorboard"
"""The subfolder of the run, which ``tensorboard --logdir runs`` finds."""

_PREFIXES = {"train": "", "validation": "val_"}
_NOT_METRICS = ("epoch", "step", "seconds")


class Board:
    """Writes the events of a run.

    Args:
        run: The run folder.
        spec: The text of the spec, which TensorBoard shows.
    """

    def __init__(self, run: Path, spec: str) -> None:
        self._folder = run / FOLDER
        self._writers: dict[str, EventFileWriter] = {}
        indented = "".join(f"    {line}\n" for line in spec.splitlines())
        self._add("train", 0, text_pb("spec", indented))

    def write(self, record: Mapping[str, Any]) -> None:
        """Writes the record of an epoch.

        Raises:
            NnspecError: If it cannot be written.
        """
        for name, value in record.items():
            if name in _NOT_METRICS or not isinstance(value, int | float):
                continue
            split = "validation" if name.startswith("val_") else "train"
            self._add(split, record["epoch"], scalar_pb(f"epoch_{name.removeprefix(_PREFIXES[split])}", value))
        try:
            for writer in self._writers.values():
                writer.flush()
        except OSError as error:
            raise NnspecError(f"cannot write {self._folder}: {error.strerror or error}") from error

    def close(self) -> None:
        """Closes the files."""
        for writer in self._writers.values():
            writer.close()

    def _add(self, place: str, step: int, summary: Any) -> None:
        if place not in self._writers:
            self._writers[place] = EventFileWriter(str(self._folder / place))
        self._writers[place].add_event(Event(wall_time=time.time(), step=step, summary=summary))
