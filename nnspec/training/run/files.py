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

__all__ = ["INFO", "METRICS", "TRANSFORMS", "WEIGHTS", "DamagedRun", "RunFiles", "resume_command", "transforms_content"]

INFO = "run.json"
METRICS, TRANSFORMS, WEIGHTS = "metrics.jsonl", "transforms.json", "weights.safetensors"


class DamagedRun(NnspecError):
    """A file of a run folder that is missing, cannot be read, or differs from its digest."""


@dataclass(frozen=True)
class RunFiles:
    """The files of a run folder. ``run.json`` has a digest of each; it is compared when the file is read.

    Attributes:
        path: The folder.
        info: What ``run.json`` says.
    """

    path: Path
    info: Mapping[str, Any]

    @property
    def status(self) -> str:
        """How it stands: ``running``, ``finished``, ``stopped early``, ``interrupted`` or ``failed``."""
        return str(self.info["status"])

    def weights(self) -> dict[str, NDArray[Any]]:
        """The best weights, by the spec's names, ``conv2d/kernel``.

        Raises:
            NnspecError: If there are none yet, or the file is damaged.
        """
        return self._weights().arrays

    def weights_epoch(self) -> int | None:
        """The epoch that the best weights are of, from 1, or 0; None if there are no weights, or they are damaged."""
        try:
            return int(self._weights().metadata["epoch"])
        except (NnspecError, ValueError, TypeError, KeyError):
            return None

    def metrics(self) -> list[dict[str, Any]]:
        """The metrics of each epoch, as they were logged.

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
                raise DamagedRun(f"{file} is damaged in line {number}\n{self._restored}") from None
        self._check(METRICS, content)
        if wrong := damage_of_records(records):
            raise DamagedRun(f"{file} is damaged: {wrong}\n{self._restored}")
        return records

    def transforms(self) -> dict[str, list[dict[str, Any]]]:
        """What the transforms of the data learned, by ``inputs.NAME`` and ``targets.NAME``.

        Raises:
            NnspecError: If the file is missing or damaged.
        """
        file = self.path / TRANSFORMS
        try:
            content = file.read_bytes()
            found: dict[str, list[dict[str, Any]]] = json.loads(content)
        except (OSError, ValueError, RecursionError) as error:
            raise DamagedRun(f"{file} cannot be read: {error}\n{self._restored}") from None
        if not isinstance(found, dict):
            raise DamagedRun(f"{file} is damaged: it is no mapping\n{self._restored}")
        try:
            for steps in found.values():
                steps_of({"transforms": steps})
        except NnspecError as error:
            raise DamagedRun(f"{file} is damaged: {error}\n{self._restored}") from None
        self._check(TRANSFORMS, content)
        return found

    def damaged(self) -> list[DamagedRun]:
        """What is wrong with the files that a training writes beside its checkpoints; empty if nothing is."""
        found = []
        for read in (self._weights, self.metrics, self.transforms):
            try:
                read()
            except DamagedRun as error:
                found.append(error)
        return found

    # --- digests ------------------------------------------------------------------------------------------------------

    @property
    def _restored(self) -> str:
        return f"  = help: `{resume_command(self.path)}` restores it"

    def _digests(self, name: str) -> Sequence[str]:
        """The digests that a file may have: two while it is replaced, since a kill can leave either."""
        found: Sequence[str] = self.info.get("digests", {}).get(name, ())
        return found

    def _check(self, name: str, content: bytes) -> None:
        allowed = self._digests(name)
        if allowed and digest_of(content) not in allowed:
            what = "was changed: its digest is not the one in run.json" if (self.path / name).exists() else "is missing"
            raise DamagedRun(f"{self.path / name} {what}\n{self._restored}")

    def _weights(self) -> Sealed:
        from safetensors import SafetensorError

        file, allowed = self.path / WEIGHTS, self._digests(WEIGHTS)
        if not file.is_file() and allowed and self.status != "running":
            raise DamagedRun(f"{file} is missing\n{self._restored}")
        if not file.is_file():
            raise DamagedRun(f"{self.path} has no weights: no epoch has ended ({self.status})")
        try:
            found = read_sealed(file, required=bool(allowed))
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            raise DamagedRun(f"{file} is damaged: {error}\n{self._restored}") from None
        if allowed and found.digest not in allowed:
            raise DamagedRun(f"{file} was changed: its digest is not the one in {INFO}\n{self._restored}")
        return found

    # --- writing --------------------------------------------------------------------------------------------------------

    def write_info(self, **changed: Any) -> Self:
        """Writes ``run.json`` anew with some entries changed."""
        info = json.loads(json_text({**self.info, **changed}))
        info["digest"] = info_digest(info)
        write_whole(self.path / INFO, json_text(info, indent=2) + "\n", durable=True)
        return replace(self, info=info)

    def write_weights(self, arrays: Mapping[str, NDArray[Any]], epoch: int) -> Self:
        """Writes the weights, and which epoch they are of; 0 where none has ended."""
        return self._write(WEIGHTS, *sealed(arrays, {"epoch": epoch}))

    def write_metrics(self, records: Iterable[dict[str, Any]]) -> Self:
        """Writes the log."""
        content = "".join(json_text(record) + "\n" for record in records).encode()
        return self._write(METRICS, content, digest_of(content))

    def write_transforms(self, state: Mapping[str, Any]) -> Self:
        """Writes what the transforms learned."""
        content = transforms_content(state)
        return self._write(TRANSFORMS, content, digest_of(content))

    def write_spec(self, spec: Spec) -> Self:
        """Writes the spec."""
        content = spec.resolved().encode()
        return self._write("spec.yaml", content, digest_of(content))

    def _write(self, name: str, content: bytes, digest: str) -> Self:
        """Writes a file whose new digest is in ``run.json`` before it, so that a kill leaves nothing that looks damaged."""
        digests = self.info.get("digests", {})
        held = digests.get(name, [])
        run = self
        if digest not in held:
            run = self.write_info(digests={**digests, name: [*held, digest]})
        write_whole(self.path / name, content, durable=True)
        # The next write of `run.json` drops the digest of what was replaced.
        return replace(run, info={**run.info, "digests": {**run.info["digests"], name: [digest]}})


def transforms_content(state: Mapping[str, Any]) -> bytes:
    """What ``transforms.json`` holds."""
    return (json.dumps(state, indent=1) + "\n").encode()


def resume_command(path: Path) -> str:
    """The command that goes on with a run, to paste into a shell."""
    return f"nnspec train --resume {shlex.quote(str(path))}"
