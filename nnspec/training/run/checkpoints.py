"""Checkpoints: everything a training goes on from, each one file that is there whole or not at all."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec.diagnostics import NnspecError
from nnspec.files import write_whole
from nnspec.training.loop.position import Position
from nnspec.training.run.digests import read_sealed, sealed
from nnspec.training.run.info import damage_of_records

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Checkpoint", "Checkpoints", "DamagedCheckpoint", "read_checkpoint"]

_FORMAT = "2"
"""The version of a checkpoint's layout."""

_WITHOUT_DIGESTS = "1"
"""The version before it: the same, without digests."""

_NAME = re.compile(r"step-(\d{9,})(?:-epoch-(\d{4,}))?\.safetensors")


class DamagedCheckpoint(NnspecError):
    """A checkpoint that cannot be read.

    Attributes:
        path: Its file.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} {reason}")
        self.path = path


@dataclass(frozen=True)
class Checkpoint:
    """A training at one moment.

    Attributes:
        position: Where it stands.
        history: The records of the epochs that have ended.
        conditions: What the bits of its result depend on: the spec, the data, the versions, the machine.
        arrays: The values of every variable.
    """

    position: Position
    history: list[dict[str, Any]]
    conditions: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]

    @property
    def file_name(self) -> str:
        """What its file is called: by the step, and by the epoch where that has ended."""
        at = self.position
        ended = f"-epoch-{at.epoch:04}" if not at.in_epoch else ""
        return f"step-{at.step:09}{ended}.safetensors"


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of a run: safetensors, with all that is no array as JSON in the header. Nothing in them is executed.

    Attributes:
        folder: Where they are.
        keep: How many of the newest are kept; that of the best epoch is kept beside them.
    """

    folder: Path
    keep: int = 3

    def files(self) -> list[Path]:
        """The files, oldest first."""
        found = [(match, path) for path in self.folder.glob("step-*") if (match := _NAME.fullmatch(path.name))]
        return [path for _, path in sorted(found, key=lambda entry: (int(entry[0][1]), int(entry[0][2] or 0)))]

    def save(self, checkpoint: Checkpoint) -> Path:
        """Writes a checkpoint, and then takes away what is no longer kept.

        Raises:
            NnspecError: If it cannot be written; those that are there stay.
        """
        state = {
            "position": checkpoint.position.as_json(),
            "history": checkpoint.history,
            "conditions": checkpoint.conditions,
        }
        content, _ = sealed(checkpoint.arrays, {"format": _FORMAT, "state": state})
        self.folder.mkdir(exist_ok=True)  # what copies a run may leave out an empty folder
        path = write_whole(self.folder / checkpoint.file_name, content, durable=True)
        self._take_away(checkpoint.position.best_epoch)
        return path

    def of_epoch(self, epoch: int) -> Path | None:
        """The checkpoint of an epoch's end, where it is there."""
        return next((path for path in self.files() if path.name.endswith(f"-epoch-{epoch:04}.safetensors")), None)

    def newest(self) -> tuple[Checkpoint | None, list[DamagedCheckpoint]]:
        """The newest checkpoint that can be read, and what is wrong with those after it."""
        damaged: list[DamagedCheckpoint] = []
        for path in reversed(self.files()):
            try:
                return read_checkpoint(path), damaged
            except DamagedCheckpoint as error:
                damaged.append(error)
        return None, damaged

    def _take_away(self, best_epoch: int) -> None:
        for path in self.files()[: -self.keep]:
            if path != self.of_epoch(best_epoch):
                path.unlink(missing_ok=True)


def read_checkpoint(path: Path) -> Checkpoint:
    """Reads a checkpoint.

    Raises:
        DamagedCheckpoint: If it is damaged, or of another version.
    """
    from safetensors import SafetensorError

    try:
        found = read_sealed(path)
        version = found.metadata.get("format")
        if version not in (_FORMAT, _WITHOUT_DIGESTS):
            raise DamagedCheckpoint(path, f"was written by another version of nnspec: format {version!s:.40}")
        if version == _FORMAT and found.digest is None:
            raise DamagedCheckpoint(path, "is damaged: it has no digests")
        state = found.metadata["state"]
        state = json.loads(state) if isinstance(state, str) else state
        if not isinstance(state, dict):
            raise DamagedCheckpoint(path, "is damaged: its state is no mapping")
        if wrong := damage_of_records(state["history"]):
            raise DamagedCheckpoint(path, f"is damaged: its history: {wrong}")
        position = Position.from_json(state["position"])
        if position.epoch != len(state["history"]):
            raise DamagedCheckpoint(path, f"is damaged: it has {len(state['history'])} records of {position.epoch} epochs")
        return Checkpoint(position, state["history"], dict(state["conditions"]), found.arrays)
    except (SafetensorError, OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise DamagedCheckpoint(path, f"is damaged: {error}") from None
