"""Runs beside each other: their metrics, and what differs in spec, data and conditions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nnspec.comparison import Difference, compare
from nnspec.diagnostics import NnspecError
from nnspec.printable import number
from nnspec.training.run.folder import Run

_NOT_METRICS = ("epoch", "step", "seconds")


@dataclass(frozen=True)
class ComparedRuns:
    """Runs beside each other.

    Attributes:
        runs: The runs; differences are those from the first.
    """

    runs: tuple[Run, ...]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The shortest ends of the runs' paths that are different."""
        parts = [run.path.resolve().parts for run in self.runs]
        for count in range(1, max(map(len, parts)) + 1):
            names = tuple("/".join(each[-count:]) for each in parts)
            if len(set(names)) == len(names):
                return names
        return tuple(f"{name} ({place})" for place, name in enumerate(names, 1))

    @cached_property
    def metrics(self) -> dict[str, tuple[Any, ...]]:
        """The metrics of the epoch whose weights each run keeps; None for a metric that a run does not have."""
        found = [(run.info.get("best") or {}).get("figures", {}) for run in self.runs]
        names = dict.fromkeys(name for each in found for name in each if name not in _NOT_METRICS)
        numbers = [name for name in names if any(isinstance(each.get(name), int | float) for each in found)]
        return {name: tuple(each.get(name) for each in found) for name in ["epoch", *numbers] if any(found)} | {
            "training seconds": tuple(run.info.get("seconds") for run in self.runs)
        }

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """How the spec of each further run differs from that of the first."""
        first, *others = self.runs
        return tuple(compare(first.spec, first.model, each.spec, each.model) for each in others)

    @cached_property
    def conditions(self) -> dict[str, tuple[Any, ...]]:
        """What else differs between the runs: seed, data, versions, machine."""
        found = [dict(_conditions(run)) for run in self.runs]
        names = dict.fromkeys(name for each in found for name in each)
        rows = {name: tuple(each.get(name) for each in found) for name in names}
        return {name: values for name, values in rows.items() if any(value != values[0] for value in values)}

    @property
    def metric_rows(self) -> list[list[str]]:
        """A row of text for each metric: its name, and its value for each run."""
        return [[name, *map(number, values)] for name, values in self.metrics.items()]

    @property
    def condition_rows(self) -> list[list[str]]:
        """A row of text for each condition that differs."""
        return [[name, *("–" if value is None else str(value) for value in values)] for name, values in self.conditions.items()]

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            "runs": [str(run.path) for run in self.runs],
            "metrics": {name: list(values) for name, values in self.metrics.items()},
            "conditions": {name: list(values) for name, values in self.conditions.items()},
            "specs": [difference.as_json() for difference in self.differences],
        }


def compare_runs(*paths: str | Path) -> ComparedRuns:
    """Open runs to compare them.

    Args:
        *paths: The run folders, at least two.

    Raises:
        NnspecError: If there are fewer than two, or one is damaged.
    """
    if len(paths) < 2:
        raise NnspecError("two or more runs can be compared\n  = help: nnspec compare runs/first runs/second")
    return ComparedRuns(tuple(map(Run.open, paths)))


def _conditions(run: Run) -> Iterator[tuple[str, Any]]:
    yield "seed", run.info["seed"]
    for split, count in run.info["data"].get("examples", {}).items():
        yield f"examples: {split}", count
    for split, digest in run.info["data"].get("fingerprints", {}).items():
        yield f"data: {split}", str(digest)[:12]
    yield from run.info["versions"].items()
    for name, value in run.info["machine"].items():
        if isinstance(value, str | int):
            yield name, value
