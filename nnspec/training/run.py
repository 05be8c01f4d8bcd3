"""The run folder: what a training leaves, and what everything after it starts from."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec.data.recipe import steps_of
from nnspec.data.transforms.classes import class_names
from nnspec.diagnostics import NnspecError, SpecError
from nnspec.files import json_text, write_whole
from nnspec.graph import Graph, Model, compile
from nnspec.graph.side_by_side import side_by_side
from nnspec.spec import Spec, load
from nnspec.training.digests import Sealed, digest_of, info_digest, read_sealed, sealed
from nnspec.training.run_info import damage, damage_of_records

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["METRICS", "TRANSFORMS", "WEIGHTS", "DamagedRun", "Run", "resume_command", "transforms_content"]

FORMAT = 2
"""The version of the run folder's layout."""

_WITHOUT_DIGESTS = 1
"""The version before it: the same files, without digests."""

METRICS, TRANSFORMS, WEIGHTS = "metrics.jsonl", "transforms.json", "weights.safetensors"
_INFO = "run.json"
_NEEDED = ("status", "name", "seed", "spec", "data", "versions", "machine")


class DamagedRun(NnspecError):
    """A file of a run folder that is missing, cannot be read, or differs from its digest."""


@dataclass(frozen=True)
class Run:
    """A run folder. Opening and reading it changes nothing in it.

    ``run.json`` has a digest of itself and of the files beside it; each is compared when it is read.

    Attributes:
        path: The folder.
        info: What ``run.json`` says.
    """

    path: Path
    info: Mapping[str, Any]

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """Opens a run folder.

        Raises:
            NnspecError: Where it is none, or is damaged.
        """
        path = Path(path)
        if not path.exists():
            raise NnspecError(f"there is no run at {path}")
        if not path.is_dir() or not (path / _INFO).is_file():
            raise NnspecError(f"{path} is not a run folder: it has no {_INFO}\n  = help: `nnspec train SPEC` makes one")
        file = path / _INFO
        try:
            info = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise DamagedRun(f"{file} cannot be read: {error}") from None
        missing = [key for key in _NEEDED if not isinstance(info, dict) or key not in info]
        if missing:
            raise DamagedRun(f"{file} is damaged: it has no `{missing[0]}`")
        if type(info.get("format")) is not int or not _WITHOUT_DIGESTS <= info["format"] <= FORMAT:
            raise NnspecError(
                f"{path} was written by another version of nnspec: format {info.get('format')!s:.40}, and this reads {FORMAT}"
            )
        if wrong := damage(info):
            raise DamagedRun(f"{file} is damaged: {wrong}")
        _check_info(file, info)
        return cls(path, info)

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.info["name"])

    @property
    def status(self) -> str:
        """How it stands: ``running``, ``finished``, ``stopped early``, ``interrupted`` or ``failed``."""
        return str(self.info["status"])

    @cached_property
    def spec(self) -> Spec:
        """The spec it was trained from, overrides applied; its paths lead where they led.

        Raises:
            SpecError: Where it has errors.
            NnspecError: Where it is not the one that was trained.
        """
        file = self.path / "spec.yaml"
        if not file.is_file():
            raise NnspecError(f"{self.path} is damaged: it has no spec.yaml")
        where = self.info["spec"]
        try:
            spec = load(file, folder=self.place(where.get("folder")), root=self.place(where.get("root")))
        except SpecError as error:
            allowed = self._digests("spec.yaml")
            if not allowed or digest_of(file.read_bytes()) in allowed:
                raise  # a file under `use` has errors, or this version refuses what an earlier one accepted
            raise DamagedRun(f"{file} was changed after the training, and has errors now:\n{error}\n{_TAKE_BACK}") from None
        # A kill may come between the two files, where a run is given more epochs.
        if spec.hash not in (where.get("hash"), where.get("hash_next")):
            raise DamagedRun(f"{file} was changed after the training: its hash is not the one in {_INFO}\n{_TAKE_BACK}")
        return spec

    @property
    def conditions(self) -> dict[str, Any]:
        """What the bits of its result depend on."""
        data = {name: self.info["data"].get(name, {}) for name in ("fingerprints", "files")}
        return {"spec": self.info["spec"], "data": data, "versions": self.info["versions"], "machine": self.info["machine"]}

    def place(self, text: Any) -> Path | None:
        """A folder as the run remembers it: relative to the run, so that a project can be moved as a whole."""
        return (self.path / text).resolve() if isinstance(text, str) else None

    @cached_property
    def model(self) -> Model:
        """Its typed graphs."""
        return compile(self.spec)

    @cached_property
    def graph(self) -> Graph:
        """What was trained: the network; of two against each other both, side by side."""
        networks = self.info.get("networks", ["main"])
        unknown = [name for name in networks if name not in self.model.networks]
        if unknown:
            raise NnspecError(f"{self.path / _INFO} is damaged: its spec has no network `{unknown[0]}`")
        graphs = [self.model.networks[name] for name in networks]
        return graphs[0] if len(graphs) == 1 else side_by_side(graphs)

    @property
    def main(self) -> Graph:
        """The network whose outputs answer inputs.

        Raises:
            NnspecError: Where two networks were trained against each other.
        """
        if "samples" in self.info:
            raise NnspecError(
                f"{self.path} is of two networks against each other, which answer nothing that there is a target of\n"
                "  = help: `nnspec generate` makes examples, `nnspec report` shows how the training went"
            )
        return self.model.main

    def weights(self) -> dict[str, NDArray[Any]]:
        """The best weights, by the spec's names, ``conv2d/kernel``.

        Raises:
            NnspecError: Where there are none yet, or the file is damaged.
        """
        return self._weights().arrays

    def weights_epoch(self) -> int | None:
        """The epoch that the best weights are of, from 1, or 0; None where there are no weights, or they are damaged."""
        try:
            return int(self._weights().metadata["epoch"])
        except (NnspecError, ValueError, TypeError, KeyError):
            return None

    def metrics(self) -> list[dict[str, Any]]:
        """The figures of each epoch, as they were logged.

        Raises:
            NnspecError: Where the log is damaged.
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
            raise DamagedRun(f"{file} is damaged: {wrong}")
        return records

    def transforms(self) -> dict[str, list[dict[str, Any]]]:
        """What the transforms of the data learned, by ``inputs.NAME`` and ``targets.NAME``.

        Raises:
            NnspecError: Where the file is missing or damaged.
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
        """What is wrong with the files that a training writes beside its checkpoints; empty where nothing is."""
        found = []
        for read in (self._weights, self.metrics, self.transforms):
            try:
                read()
            except DamagedRun as error:
                found.append(error)
        return found

    def recipe(self) -> dict[str, Any]:
        """How its inputs are made from raw data (`data.recipe`).

        Raises:
            NnspecError: Where it is damaged.
        """
        found: dict[str, Any] = self.info["data"].get("recipe") or {}
        try:
            for said in found.get("inputs", {}).values():
                steps_of(said)
        except NnspecError as error:
            raise DamagedRun(f"{self.path / _INFO} is damaged: {error}") from None
        return found

    def classes(self) -> dict[str, list[Any]]:
        """The names of the classes of each output whose target was encoded, in the order of its units."""
        return {output: names for output, steps in self.targets().items() if (names := class_names(steps)) is not None}

    def targets(self) -> dict[str, list[dict[str, Any]]]:
        """What the transforms of each output's target learned."""
        return {place.partition(".")[2]: steps for place, steps in self.transforms().items() if place.startswith("targets.")}

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
            raise DamagedRun(f"{file} was changed: its digest is not the one in {_INFO}\n{self._restored}")
        return found

    # --- writing --------------------------------------------------------------------------------------------------------

    def write_info(self, **changed: Any) -> Run:
        """Writes ``run.json`` anew with some entries changed."""
        info = json.loads(json_text({**self.info, **changed}))
        info["digest"] = info_digest(info)
        write_whole(self.path / _INFO, json_text(info, indent=2) + "\n", durable=True)
        return Run(self.path, info)

    def write_weights(self, arrays: Mapping[str, NDArray[Any]], epoch: int) -> Run:
        """Writes the weights, and which epoch they are of; 0 where none has ended."""
        return self._write(WEIGHTS, *sealed(arrays, {"epoch": epoch}))

    def write_metrics(self, records: Iterable[dict[str, Any]]) -> Run:
        """Writes the log."""
        content = "".join(json_text(record) + "\n" for record in records).encode()
        return self._write(METRICS, content, digest_of(content))

    def write_transforms(self, state: Mapping[str, Any]) -> Run:
        """Writes what the transforms learned."""
        content = transforms_content(state)
        return self._write(TRANSFORMS, content, digest_of(content))

    def write_spec(self, spec: Spec) -> Run:
        """Writes the spec."""
        content = spec.resolved().encode()
        return self._write("spec.yaml", content, digest_of(content))

    def _write(self, name: str, content: bytes, digest: str) -> Run:
        """Writes a file whose new digest is in ``run.json`` before it, so that a kill leaves nothing that looks damaged."""
        digests = self.info.get("digests", {})
        held = digests.get(name, [])
        run = self
        if digest not in held:
            run = self.write_info(digests={**digests, name: [*held, digest]})
        write_whole(self.path / name, content, durable=True)
        # The next write of `run.json` drops the digest of what was replaced.
        return Run(self.path, {**run.info, "digests": {**run.info["digests"], name: [digest]}})


_TAKE_BACK = "  = help: take the change back; to train with other values, begin a new run"


def transforms_content(state: Mapping[str, Any]) -> bytes:
    """What ``transforms.json`` holds."""
    return (json.dumps(state, indent=1) + "\n").encode()


def resume_command(path: Path) -> str:
    """The command that goes on with a run, to paste into a shell."""
    return f"nnspec train --resume {shlex.quote(str(path))}"


def _check_info(file: Path, info: Mapping[str, Any]) -> None:
    if info["format"] == _WITHOUT_DIGESTS and "digest" not in info:
        return
    if "digest" not in info:
        raise DamagedRun(f"{file} is damaged: it has no `digest`")
    if info["digest"] is not None and info["digest"] != info_digest(info):
        raise DamagedRun(
            f"{file} was changed: its content differs from its `digest`\n"
            "  = help: take the change back; remarks of your own belong under `notes`. If the change is meant, write "
            '`"digest": null`'
        )
