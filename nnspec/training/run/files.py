"""The files of a run folder: read, compared with their digests, and written."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from nnspec.data.recipe import steps_of
from nnspec.diagnostics import NnspecError
from nnspec.files import write_whole
from nnspec.printable import json_text
from nnspec.spec import Spec
from nnspec.training.run.digests import Sealed, digest_of, info_digest, read_sealed, sealed
from nnspec.training.run.info import damage_of_records

if TYPE_CHECKING:
    from numpy.typing import NDArray

INFO = "run.json"
METRICS, TRANSFORMS, WEIGHTS = "metrics.jsonl", "transforms.json", "weights.safetensors"


class DamagedRun(NnspecError):
    """A file of a run folder that is missing, cannot be read, or differs from its digest."""


@dataclass(frozen=True)
class RunFiles:
    """The files of a run folder. ``run.json`` has a digest of each; it is compared when the file is read.

    Attributes:
        path: The folder.
        info: The content of ``run.json``.
    """

    path: Path
    info: Mapping[str, Any]

    @property
    def status(self) -> str:
        """The status: ``running``, ``finished``, ``stopped early``, ``interrupted`` or ``failed``."""
        return str(self.info["status"])

    def weights(self) -> dict[str, NDArray[Any]]:
        """The best weights, by their names in the spec, such as ``conv2d/kernel``.

        Raises:
            NnspecError: If there are none yet, or the file is damaged.
        """
        return self._weights().arrays

    def weights_epoch(self) -> int | None:
        """The epoch of the best weights, from 1; 0 if none is complete; None if there are no readable weights."""
        try:
            return int(self._weights().metadata["epoch"])
        except (NnspecError, ValueError, TypeError, KeyError):
            return None

    def metrics(self) -> list[dict[str, Any]]:
        """The log: the metrics of each epoch.

        Raises:
            NnspecError: If the log is damaged.
        """
        file = self.path / METRICS
        try:
            content = file.read_bytes() if file.is_file() else b""
            lines = content.decode().splitlines()
        except (OSError, ValueError) as error:
            raise DamagedRun(f"{file} cannot be read: {error}") from None
        records: list[Any] = []
        for number, line in enumerate(lines, 1):
            try:
                records.append(json.loads(line))
            except (ValueError, RecursionError):
                raise DamagedRun(f"{file} is damaged in line {number}\n{self._restore_help}") from None
        self._check(METRICS, content)
        if wrong := damage_of_records(records):
            raise DamagedRun(f"{file} is damaged: {wrong}\n{self._restore_help}")
        return records

    def transforms(self) -> dict[str, list[dict[str, Any]]]:
        """The state of the data transforms, by ``inputs.NAME`` and ``targets.NAME``.

        Raises:
            NnspecError: If the file is missing or damaged.
        """
        file = self.path / TRANSFORMS
        try:
            content = file.read_bytes()
            found: dict[str, list[dict[str, Any]]] = json.loads(content)
        except (OSError, ValueError, RecursionError) as error:
            raise DamagedRun(f"{file} cannot be read: {error}\n{self._restore_help}") from None
        if not isinstance(found, dict):
            raise DamagedRun(f"{file} is damaged: it is not a mapping\n{self._restore_help}")
        try:
            for steps in found.values():
                steps_of({"transforms": steps})
        except NnspecError as error:
            raise DamagedRun(f"{file} is damaged: {error}\n{self._restore_help}") from None
        self._check(TRANSFORMS, content)
        return found

    def damaged(self) -> list[DamagedRun]:
        """The errors of the files that a training writes besides checkpoints."""
        found = []
        for read in (self._weights, self.metrics, self.transforms):
            try:
                read()
            except DamagedRun as error:
                found.append(error)
        return found

    # --- digests ------------------------------------------------------------------------------------------------------

    @property
    def _restore_help(self) -> str:
        return f"  = help: `{resume_command(self.path)}` restores it"

    def _digests(self, name: str) -> Sequence[str]:
        """The valid digests of a file: two while it is replaced, since a killed process can leave either."""
        found: Sequence[str] = self.info.get("digests", {}).get(name, ())
        return found

    def _check(self, name: str, content: bytes) -> None:
        allowed = self._digests(name)
        if allowed and digest_of(content) not in allowed:
            what = "was changed: its digest is not the one in run.json" if (self.path / name).exists() else "is missing"
            raise DamagedRun(f"{self.path / name} {what}\n{self._restore_help}")

    def _weights(self) -> Sealed:
        from safetensors import SafetensorError

        file, allowed = self.path / WEIGHTS, self._digests(WEIGHTS)
        if not file.is_file() and allowed and self.status != "running":
            raise DamagedRun(f"{file} is missing\n{self._restore_help}")
        if not file.is_file():
            raise DamagedRun(f"{self.path} has no weights: no epoch is complete ({self.status})")
        try:
            found = read_sealed(file, required=bool(allowed))
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            raise DamagedRun(f"{file} is damaged: {error}\n{self._restore_help}") from None
        if allowed and found.digest not in allowed:
            raise DamagedRun(f"{file} was changed: its digest is not the one in {INFO}\n{self._restore_help}")
        return found

    # --- writing --------------------------------------------------------------------------------------------------------

    def write_info(self, **changed: Any) -> Self:
        """Rewrites ``run.json`` with some entries changed."""
        info = json.loads(json_text({**self.info, **changed}))
        info["digest"] = info_digest(info)
        write_whole(self.path / INFO, json_text(info, indent=2) + "\n", durable=True)
        return replace(self, info=info)

    def write_weights(self, arrays: Mapping[str, NDArray[Any]], epoch: int) -> Self:
        """Writes the weights and their epoch, which is 0 if none is complete."""
        return self._write(WEIGHTS, *sealed(arrays, {"epoch": epoch}))

    def write_metrics(self, records: Iterable[dict[str, Any]]) -> Self:
        """Writes the log, which is not flushed to the disk each epoch: checkpoints, which are, contain it."""
        content = "".join(json_text(record) + "\n" for record in records).encode()
        return self._write(METRICS, content, digest_of(content), durable=False)

    def write_transforms(self, state: Mapping[str, Any]) -> Self:
        """Writes the state of the transforms."""
        content = transforms_content(state)
        return self._write(TRANSFORMS, content, digest_of(content))

    def write_spec(self, spec: Spec) -> Self:
        """Writes the spec."""
        content = spec.resolved().encode()
        return self._write("spec.yaml", content, digest_of(content))

    def _write(self, name: str, content: bytes, digest: str, *, durable: bool = True) -> Self:
        """Writes a file after its digest is in ``run.json``, so that a killed process leaves no invalid file."""
        digests = self.info.get("digests", {})
        allowed = digests.get(name, [])
        run = self
        if digest not in allowed:
            run = self.write_info(digests={**digests, name: [*allowed, digest]})
        write_whole(self.path / name, content, durable=durable)
        # The next write of `run.json` drops the old digest.
        return replace(run, info={**run.info, "digests": {**run.info["digests"], name: [digest]}})


def transforms_content(state: Mapping[str, Any]) -> bytes:
    """The content of ``transforms.json``."""
    return (json.dumps(state, indent=1) + "\n").encode()


def resume_command(path: Path) -> str:
    """The shell command that resumes a run."""
    return f"nnspec train --resume {shlex.quote(str(path))}"
