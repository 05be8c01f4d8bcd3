"""Begins a run folder, and says what may change the result of a training beside its spec and its data."""

from __future__ import annotations

import os
import platform
import shutil
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nnspec.data.prepare import Prepared
from nnspec.diagnostics import NnspecError
from nnspec.files import write_whole
from nnspec.graph import Graph
from nnspec.layers.plugin import plugin_of
from nnspec.spec import Spec
from nnspec.training.plan import TrainingPlan
from nnspec.training.run import FORMAT, Run

__all__ = ["begin", "now", "place_for"]

_PACKAGES = ("nnspec", "keras", "tensorflow", "numpy", "scikit-learn")


def place_for(spec: Spec, out: Path | None, *, overwrite: bool) -> Path:
    """Where a run is written.

    Args:
        spec: The spec.
        out: The folder that was asked for; by default ``runs/NAME/TIME``.
        overwrite: Whether a run that is there may be replaced.

    Raises:
        NnspecError: Where something else is there.
    """
    if out is None:
        base = Path("runs") / spec.name / datetime.now().strftime("%Y%m%d-%H%M%S")
        return next(path for path in (base, *(base.with_name(f"{base.name}-{i}") for i in range(2, 1000))) if not path.exists())
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return out
    if not out.is_dir():
        raise NnspecError(f"{out} is a file; a run is a folder")
    if not (out / "run.json").is_file():
        raise NnspecError(f"{out} is a folder with something else in it; name another for the run")
    if not overwrite:
        raise NnspecError(f"there is a run at {out}\n  = help: name another folder, or replace it with `--overwrite`")
    return out


def begin(path: Path, spec: Spec, plan: TrainingPlan, prepared: Prepared, machine: dict[str, Any]) -> Run:
    """Makes the folder with all that is known before the first step; a run that is there is replaced."""
    if path.exists():
        shutil.rmtree(path)
    try:
        (path / "checkpoints").mkdir(parents=True)
    except OSError as error:
        raise NnspecError(f"the run cannot be written to {path}: {error.strerror}") from None
    run = Run(path, {})
    write_whole(path / "spec.yaml", spec.resolved().encode())
    examples = {"train": len(prepared.train), "validation": len(prepared.validation) if prepared.validation else 0}
    return run.write_info(
        format=FORMAT,
        name=spec.name,
        status="running",
        started=now(),
        spec={
            "hash": spec.hash,
            "file": spec.file,
            "folder": os.path.relpath(spec.folder, path.resolve()),
            "root": os.path.relpath(spec.root, path.resolve()),
        },
        seed=plan.section.seed,
        parameters=plan.graph.parameters,
        data={"fingerprints": dict(prepared.fingerprints), "examples": examples, "recipe": prepared.recipe},
        versions={"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}, **_plugins(plan.graph)},
        machine=machine,
        warnings=[warning.as_json() for warning in prepared.warnings],
    )


def _plugins(graph: Graph) -> dict[str, str]:
    """The packages whose layers the graph has, with their versions."""
    found = [plugin_of(node.layer) for node in graph.nodes.values()]
    return {name: number for plugin in found if plugin is not None for name, number in plugin.versions.items()}


def now() -> str:
    """The time, as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
