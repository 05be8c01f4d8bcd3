"""The run folder: the result of a training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from nnspec.data.frames import with_data
from nnspec.data.recipe import steps_of
from nnspec.data.transforms.classes import class_names
from nnspec.diagnostics import NnspecError, SpecError
from nnspec.graph import Graph, Model, compile
from nnspec.graph.merge_graphs import merge_graphs
from nnspec.printable import number, on_one_line
from nnspec.spec import Spec, load
from nnspec.training.backends.machine import installed_version
from nnspec.training.objectives import OBJECTIVES, objective_named
from nnspec.training.objectives.base import Objective
from nnspec.training.objectives.plugin import guarded
from nnspec.training.run.digests import digest_of, info_digest
from nnspec.training.run.files import INFO, DamagedRun, RunFiles
from nnspec.training.run.info import damage
from nnspec.training.run.latest import followed

FORMAT = 2
"""The version of the format of run folders."""

_WITHOUT_DIGESTS = 1
"""The previous version: the same files, without digests."""

_REQUIRED = ("status", "name", "seed", "spec", "data", "versions", "machine")


@dataclass(frozen=True, repr=False)
class Run(RunFiles):
    """A run folder. Opening and reading it never changes it.

    ``run.json`` has digests of itself and of the other files, which are checked when a file is read.

    Attributes:
        path: The folder.
        info: The content of ``run.json``.
        frames: The tables in memory that its spec names as data; they are not in the folder.
    """

    frames: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __repr__(self) -> str:
        best = self.info.get("best")
        epochs = f"{self.info.get('epochs') or 0} epochs"
        kept = f", {best['monitor']} {number(best['value'])} in epoch {best['epoch']}" if best else ""
        return on_one_line(f"<Run {self.path}: {self.name}, {self.status}, {epochs}{kept}>")

    def _repr_html_(self) -> str:
        from nnspec.training.run.notebook import run_html

        return run_html(self)

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """Opens a run folder.

        Raises:
            NnspecError: If the folder is not a run, or is damaged.
        """
        try:
            path = followed(Path(path))
        except TypeError:
            raise NnspecError(f"a run is no `{type(path).__name__}`\n  = help: pass its folder, or a `Run`") from None
        if not path.exists():
            raise NnspecError(f"there is no run at {path}")
        if not path.is_dir() or not (path / INFO).is_file():
            raise NnspecError(f"{path} is not a run folder: it has no {INFO}\n  = help: `nnspec train SPEC` creates one")
        file = path / INFO
        try:
            info = json.loads(file.read_text("utf-8"))
        except OSError as error:
            raise DamagedRun(f"{file} cannot be read: {error.strerror or error}") from None
        except (ValueError, RecursionError) as error:
            raise DamagedRun(f"{file} is damaged: it is not valid JSON: {error}\n{_RESTORE}") from None
        if not isinstance(info, dict) or not any(key in info for key in _REQUIRED):
            raise DamagedRun(f"{file} is damaged, or from another program: it has no entry of a run\n{_RESTORE}")
        if missing := [key for key in _REQUIRED if key not in info]:
            raise DamagedRun(f"{file} is damaged: it has no `{missing[0]}`\n{_RESTORE}")
        if type(info.get("format")) is not int or not _WITHOUT_DIGESTS <= info["format"] <= FORMAT:
            raise NnspecError(
                f"{path} was written by another version of nnspec: it has format {info.get('format')!s:.40}, this one reads "
                f"{FORMAT}\n"
                "  = help: use that version, or train again with this one"
            )
        if wrong := damage(info):
            raise DamagedRun(f"{file} is damaged: {wrong}\n{_RESTORE}")
        _check_info(file, info)
        return cls(path, info)

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.info["name"])

    @cached_property
    def spec(self) -> Spec:
        """The trained spec, with overrides applied and paths resolved as in training.

        Raises:
            SpecError: If it has errors.
            NnspecError: If it changed since the training.
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
                raise  # a file under `use` has errors, or this version rejects what an earlier one accepted
            raise DamagedRun(f"{file} was changed after the training, and has errors now:\n{error}\n{_UNDO}") from None
        # A process may be killed between writing the two files, when a run is extended.
        if spec.hash not in (where.get("hash"), where.get("hash_next")):
            raise DamagedRun(f"{file} was changed after the training: its hash is not the one in {INFO}\n{_UNDO}")
        return replace(spec, frames=self.frames) if self.frames else spec

    def with_frames(self, frames: Mapping[str, Any]) -> Run:
        """The run with tables in memory, by the names that its spec gives them."""
        return replace(self, frames={**self.frames, **frames}) if frames else self

    def with_data(self, data: Any) -> Run:
        """The run with other data: a table as its test data, or tables by split.

        Args:
            data: A DataFrame or a dict of arrays by column; or a dict of these by split; None for the data of its spec.

        Raises:
            NnspecError: If they are no tables.
        """
        if data is None:
            return self
        spec = with_data(self.spec, data, "test")
        run = replace(self, frames=spec.frames)
        run.__dict__["spec"] = spec
        return run

    @property
    def conditions(self) -> dict[str, Any]:
        """What a bit-identical result depends on."""
        data = {name: self.info["data"].get(name, {}) for name in ("fingerprints", "files")}
        return {"spec": self.info["spec"], "data": data, "versions": self.info["versions"], "machine": self.info["machine"]}

    def place(self, text: Any) -> Path | None:
        """Resolves a folder recorded relative to the run, so that a project can be moved as a whole."""
        try:
            return (self.path / text).resolve() if isinstance(text, str) else None
        except (OSError, RuntimeError, ValueError) as error:
            raise DamagedRun(f"{self.path / INFO} is damaged: {text!r:.80} is not a path: {error}\n{_RESTORE}") from None

    @classmethod
    def of(cls, run: Run | str | Path) -> Run:
        """A run, opened if its folder is given."""
        return run if isinstance(run, Run) else cls.open(run)

    @cached_property
    def model(self) -> Model:
        """Its typed graphs."""
        return compile(self.spec)

    @cached_property
    def graph(self) -> Graph:
        """The trained networks, merged into one graph if there are several."""
        networks = self.info.get("networks", ["main"])
        unknown = [name for name in networks if name not in self.model.networks]
        if unknown:
            raise NnspecError(f"{self.path / INFO} is damaged: its spec has no network `{unknown[0]}`")
        graphs = [self.model.networks[name] for name in networks]
        return graphs[0] if len(graphs) == 1 else merge_graphs(graphs)

    @cached_property
    def objective(self) -> type[Objective]:
        """The objective; runs of earlier versions have it only in their spec."""
        name = self.info.get("objective") or objective_named(self.spec.section("train"))
        if name not in OBJECTIVES:
            versions = {name: number for name, number in self.info["versions"].items() if number and name != "python"}
            gone = " and ".join(f"{name} {number}" for name, number in versions.items() if installed_version(name) is None)
            help = f"install {gone}" if gone else "install the package that provides it"
            raise NnspecError(f"{self.path / INFO}: the objective `{name}` is not installed\n  = help: {help}")
        return cast("type[Objective]", OBJECTIVES.get(name))

    def generator_record(self) -> Mapping[str, Any] | None:
        """How samples are generated from random values; None if the trained networks generate none."""
        if self.info.get("sampler"):
            found: Mapping[str, Any] = self.info["sampler"]
            return found
        return guarded(self.objective, self.objective.generator_record, self.info)

    @property
    def main(self) -> Graph:
        """The network that makes predictions.

        Raises:
            NnspecError: If the objective of the run has no targets.
        """
        if not self.objective.predicts:
            raise NnspecError(
                f"{self.path} was trained with the objective `{self.objective.__name__}`, which has no targets to evaluate\n"
                "  = help: `nnspec generate` generates examples, and `nnspec report` shows the training"
            )
        return self.model.main

    def recipe(self) -> dict[str, Any]:
        """The recipe that computes the inputs from raw data (`data.recipe`).

        Raises:
            NnspecError: If it is damaged.
        """
        found: dict[str, Any] = self.info["data"].get("recipe") or {}
        try:
            for entry in found.get("inputs", {}).values():
                steps_of(entry)
        except NnspecError as error:
            raise DamagedRun(f"{self.path / INFO} is damaged: {error}\n{_RESTORE}") from None
        return found

    def classes(self) -> dict[str, list[Any]]:
        """The class names of each output with an encoded target, in the order of its units."""
        return {output: names for output, steps in self.targets().items() if (names := class_names(steps)) is not None}

    def field_classes(self, field: str) -> list[Any] | None:
        """The class names of an encoded field, an input or a target, in order; None if it is not encoded."""
        transforms = self.transforms()
        return class_names(transforms.get(f"inputs.{field}") or transforms.get(f"targets.{field}") or [])

    def targets(self) -> dict[str, list[dict[str, Any]]]:
        """The state of the transforms of each output's target."""
        return {place.partition(".")[2]: steps for place, steps in self.transforms().items() if place.startswith("targets.")}


_RESTORE = "  = help: name a folder that `nnspec train` created; to repair one, restore the file from a copy, or train again"
_UNDO = "  = help: undo the change; to train with other values, start a new run"


def _check_info(file: Path, info: Mapping[str, Any]) -> None:
    if info["format"] == _WITHOUT_DIGESTS and "digest" not in info:
        return
    if "digest" not in info:
        raise DamagedRun(f"{file} is damaged: it has no `digest`\n{_RESTORE}")
    if info["digest"] is not None and info["digest"] != info_digest(info):
        raise DamagedRun(
            f"{file} was changed: its content differs from its `digest`\n"
            "  = help: undo the change; write your own notes under `notes`. If the change is intended, write "
            '`"digest": null`'
        )
