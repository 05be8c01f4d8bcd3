"""Checkpoints: the state from which a training resumes, each in one file that is written atomically."""

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

_FORMAT = "2"
"""The version of the checkpoint format."""

_WITHOUT_DIGESTS = "1"
"""The previous version: the same, without digests."""

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
    """The state of a training.

    Attributes:
        position: The position.
        history: The records of the completed epochs.
        conditions: What a bit-identical result depends on: the spec, the data, the versions, the machine.
        arrays: The values of every variable.
    """

    position: Position
    history: list[dict[str, Any]]
    conditions: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]

    @property
    def file_name(self) -> str:
        """The file name, with the step, and the epoch if it is complete."""
        at = self.position
        ended = f"-epoch-{at.epoch:04}" if not at.in_epoch else ""
        return f"step-{at.step:09}{ended}.safetensors"


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of a run: safetensors files with JSON in the header. Reading them executes no code.

    Attributes:
        folder: The folder.
        keep: The number of newest checkpoints to keep, in addition to that of the best epoch.
    """

    folder: Path
    keep: int = 3

    def files(self) -> list[Path]:
        """The files, oldest first."""
        found = [(match, path) for path in self.folder.glob("step-*") if (match := _NAME.fullmatch(path.name))]
        return [path for _, path in sorted(found, key=lambda entry: (int(entry[0][1]), int(entry[0][2] or 0)))]

    def save(self, checkpoint: Checkpoint) -> Path:
        """Writes a checkpoint, then removes old ones.

        Raises:
            NnspecError: If it cannot be written; existing checkpoints are kept.
        """
        state = {
            "position": checkpoint.position.as_json(),
            "history": checkpoint.history,
            "conditions": checkpoint.conditions,
        }
        content, _ = sealed(checkpoint.arrays, {"format": _FORMAT, "state": state})
        self.folder.mkdir(exist_ok=True)  # copies of a run may lack the empty folder
        path = write_whole(self.folder / checkpoint.file_name, content, durable=True)
        self._remove_old(checkpoint.position.best_epoch)
        return path

    def of_epoch(self, epoch: int) -> Path | None:
        """The checkpoint at the end of an epoch, if it exists."""
        return next((path for path in self.files() if path.name.endswith(f"-epoch-{epoch:04}.safetensors")), None)

    def newest(self) -> tuple[Checkpoint | None, list[DamagedCheckpoint]]:
        """The newest readable checkpoint, and the errors of those after it."""
        damaged: list[DamagedCheckpoint] = []
        for path in reversed(self.files()):
            try:
                return read_checkpoint(path), damaged
            except DamagedCheckpoint as error:
                damaged.append(error)
        return None, damaged

    def _remove_old(self, best_epoch: int) -> None:
        for path in self.files()[: -self.keep]:
            if path != self.of_epoch(best_epoch):
                path.unlink(missing_ok=True)


def read_checkpoint(path: Path) -> Checkpoint:
    """Reads a checkpoint.

    Raises:
        DamagedCheckpoint: If it is damaged or has another format.
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
            raise DamagedCheckpoint(path, "is damaged: its state is not a mapping")
        if wrong := damage_of_records(state["history"]):
            raise DamagedCheckpoint(path, f"is damaged: its history: {wrong}")
        position = Position.from_json(state["position"])
        if position.epoch != len(state["history"]):
            raise DamagedCheckpoint(path, f"is damaged: it has {len(state['history'])} records for {position.epoch} epochs")
        return Checkpoint(position, state["history"], dict(state["conditions"]), found.arrays)
    except (SafetensorError, OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise DamagedCheckpoint(path, f"is damaged: {error}") from None
