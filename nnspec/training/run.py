"""The run folder: what a training leaves, and what everything after it starts from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnspec.data.recipe import steps_of
from nnspec.data.transforms.classes import class_names
from nnspec.diagnostics import NnspecError
from nnspec.files import write_whole
from nnspec.graph import Graph, Model, compile
from nnspec.graph.side_by_side import side_by_side
from nnspec.spec import Spec, load
from nnspec.training.run_info import damage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Run"]

FORMAT = 1
"""The version of the run folder's layout."""

_INFO = "run.json"
_NEEDED = ("status", "name", "seed", "spec", "data", "versions", "machine")


@dataclass(frozen=True)
class Run:
    """A run folder. Opening and reading it changes nothing in it.

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
        try:
            info = json.loads((path / _INFO).read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise NnspecError(f"{path / _INFO} cannot be read: {error}") from None
        missing = [key for key in _NEEDED if not isinstance(info, dict) or key not in info]
        if missing:
            raise NnspecError(f"{path / _INFO} is damaged: it has no `{missing[0]}`")
        if info.get("format") != FORMAT:
            raise NnspecError(
                f"{path} was written by another version of nnspec: format {info.get('format')}, and this reads {FORMAT}"
            )
        if wrong := damage(info):
            raise NnspecError(f"{path / _INFO} is damaged: {wrong}")
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
        spec = load(file, folder=self.place(where.get("folder")), root=self.place(where.get("root")))
        # A kill may come between the two files, where a run is given more epochs.
        if spec.hash not in (where.get("hash"), where.get("hash_next")):
            raise NnspecError(f"{file} was changed after the training: its hash is not the one in {_INFO}")
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
        from safetensors import SafetensorError
        from safetensors.numpy import load as read

        file = self.path / "weights.safetensors"
        if not file.is_file():
            raise NnspecError(f"{self.path} has no weights: no epoch has ended ({self.status})")
        try:
            arrays: dict[str, NDArray[Any]] = read(file.read_bytes())
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            raise NnspecError(f"{file} is damaged: {error}") from None
        return {name: arrays[name] for name in sorted(arrays)}

    def weights_epoch(self) -> int | None:
        """The epoch that the best weights are of, from 1; None where there are none, or it is not known."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.path / "weights.safetensors", framework="numpy") as file:
                return int((file.metadata() or {})["epoch"])
        except (SafetensorError, OSError, ValueError, KeyError):
            return None

    def metrics(self) -> list[dict[str, Any]]:
        """The figures of each epoch, as they were logged.

        Raises:
            NnspecError: Where a line of the log is damaged.
        """
        file = self.path / "metrics.jsonl"
        lines = file.read_text("utf-8").splitlines() if file.is_file() else []
        records = []
        for number, line in enumerate(lines, 1):
            try:
                records.append(json.loads(line))
            except ValueError:
                raise NnspecError(f"{file} is damaged in line {number}") from None
        return records

    def transforms(self) -> dict[str, list[dict[str, Any]]]:
        """What the transforms of the data learned, by ``inputs.NAME`` and ``targets.NAME``.

        Raises:
            NnspecError: Where the file is missing or damaged.
        """
        file = self.path / "transforms.json"
        try:
            found: dict[str, list[dict[str, Any]]] = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise NnspecError(f"{file} cannot be read: {error}") from None
        if not isinstance(found, dict):
            raise NnspecError(f"{file} is damaged: it is no mapping")
        try:
            for steps in found.values():
                steps_of({"transforms": steps})
        except NnspecError as error:
            raise NnspecError(f"{file} is damaged: {error}") from None
        return found

    def recipe(self) -> dict[str, Any]:
        """How its inputs are made from raw data (`data.recipe`)."""
        found = self.info["data"].get("recipe")
        return found if isinstance(found, dict) else {}

    def classes(self) -> dict[str, list[Any]]:
        """The names of the classes of each output whose target was encoded, in the order of its units."""
        return {output: names for output, steps in self.targets().items() if (names := class_names(steps)) is not None}

    def targets(self) -> dict[str, list[dict[str, Any]]]:
        """What the transforms of each output's target learned."""
        return {place.partition(".")[2]: steps for place, steps in self.transforms().items() if place.startswith("targets.")}

    # --- writing --------------------------------------------------------------------------------------------------------

    def write_info(self, **changed: Any) -> Run:
        """Writes ``run.json`` anew with some entries changed."""
        info = {**self.info, **changed}
        write_whole(self.path / _INFO, (json.dumps(info, indent=2, ensure_ascii=False) + "\n").encode())
        return Run(self.path, info)

    def write_weights(self, arrays: Mapping[str, NDArray[Any]], epoch: int) -> None:
        """Writes the weights, and which epoch they are of; 0 where none has ended."""
        from safetensors.numpy import save

        content = save({name: _contiguous(array) for name, array in arrays.items()}, {"epoch": str(epoch)})
        write_whole(self.path / "weights.safetensors", content, durable=True)

    def write_metrics(self, records: Iterator[dict[str, Any]] | list[dict[str, Any]]) -> None:
        """Writes the log."""
        text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        write_whole(self.path / "metrics.jsonl", text.encode())


def _contiguous(array: NDArray[Any]) -> NDArray[np.generic]:
    import numpy as np

    return np.ascontiguousarray(array).reshape(array.shape)  # it would make a list of a scalar
