"""Begins a run folder."""

from __future__ import annotations

import json
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nnspec.data.prepare import Prepared
from nnspec.diagnostics import NnspecError
from nnspec.files import is_free, to_disk, write_whole
from nnspec.graph import Graph
from nnspec.graph.fingerprint import node_digests
from nnspec.layers.plugin import plugin_of
from nnspec.spec import Spec
from nnspec.training.plan import TrainingPlan
from nnspec.training.run.digests import digest_of
from nnspec.training.run.files import TRANSFORMS, transforms_content
from nnspec.training.run.folder import FORMAT, Run
from nnspec.training.run.lock import run_lock
from nnspec.training.run.machine import versions

__all__ = ["as_json", "create_run", "now", "run_folder", "spec_record"]


def run_folder(spec: Spec, out: Path | None, *, overwrite: bool) -> Path:
    """Where a run is written.

    Args:
        spec: The spec.
        out: The folder that was asked for; by default ``runs/NAME/TIME``.
        overwrite: Whether a run that is there may be replaced.

    Raises:
        NnspecError: If something else is there.
    """
    if out is None:
        base = Path("runs") / spec.name / datetime.now().strftime("%Y%m%d-%H%M%S")
        return next(path for path in (base, *(base.with_name(f"{base.name}-{i}") for i in range(2, 1000))) if not path.exists())
    if is_free(out):
        return out
    if not out.is_dir():
        raise NnspecError(f"{out} is a file; a run is a folder")
    if not (out / "run.json").is_file():
        raise NnspecError(f"{out} is a folder with something else in it; name another for the run")
    if not overwrite:
        raise NnspecError(f"there is a run at {out}\n  = help: name another folder, or replace it with `--overwrite`")
    return out


def create_run(
    path: Path, spec: Spec, plan: TrainingPlan, prepared: Prepared, machine: dict[str, Any], checkpoints: dict[str, Any]
) -> Run:
    """Makes the folder with all that is known before the first step, at once; a run that is there is replaced.

    Args:
        path: Where.
        spec: The spec.
        plan: What is trained, and how.
        prepared: The data.
        machine: On what.
        checkpoints: How often they are taken and how many are kept.

    Raises:
        NnspecError: If it cannot be written, or another process trains into the run that is there.
    """
    whole = path.resolve()
    beside = whole.with_name(f".{whole.name}.{os.getpid()}.part")
    _remove_leftovers(whole.parent)
    above = next(folder for folder in whole.parents if folder.exists())
    try:
        (beside / "checkpoints").mkdir(parents=True)
        contents = {"spec.yaml": spec.resolved().encode(), TRANSFORMS: transforms_content(prepared.state)}
        for name, content in contents.items():
            write_whole(beside / name, content, durable=True)
        digests = {name: [digest_of(content)] for name, content in contents.items()}
        Run(beside, {}).write_info(**_info(path, spec, plan, prepared, machine), checkpoints=checkpoints, digests=digests)
        _put(beside, path)
        for folder in (whole, *whole.parents):
            to_disk(folder)
            if folder == above:
                break
    except OSError as error:
        raise NnspecError(f"the run cannot be written to {path}: {error.strerror}") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Run.open(path)


_PART = re.compile(r"\..+\.(\d+)\.part")


def _remove_leftovers(folder: Path) -> None:
    """Removes what processes left that were killed while they began a run here."""
    for part in folder.glob(".*.part"):
        made_by = _PART.fullmatch(part.name)
        if made_by is None or not part.is_dir() or _runs(int(made_by[1])):
            continue
        if {entry.name for entry in part.iterdir()} <= {"checkpoints", "spec.yaml", TRANSFORMS, "run.json"}:
            shutil.rmtree(part, ignore_errors=True)


def _runs(process: int) -> bool:
    """Whether a process other than this one runs under a number."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass  # it is another user's
    return True


def _put(beside: Path, path: Path) -> None:
    """Puts a folder in its place, where there may be a run, or an empty folder that someone stands in."""
    if (path / "run.json").is_file():
        with run_lock(path):
            shutil.rmtree(path)
    if not path.exists():
        beside.rename(path)
        return
    for entry in sorted(beside.iterdir(), key=lambda entry: entry.name == "run.json"):
        entry.rename(path / entry.name)


def _info(path: Path, spec: Spec, plan: TrainingPlan, prepared: Prepared, machine: dict[str, Any]) -> dict[str, Any]:
    """What ``run.json`` says before the first step."""
    examples = {"train": len(prepared.train), "validation": len(prepared.validation) if prepared.validation else 0}
    return {
        "format": FORMAT,
        "name": spec.name,
        "status": "running",
        "started": now(),
        "spec": spec_record(spec, plan.graph, path),
        "seed": plan.section.seed,
        "objective": type(plan.objective).__name__,
        "networks": list(plan.networks),
        "parameters": plan.graph.parameters,
        "data": {
            "fingerprints": {part: found.whole for part, found in prepared.fingerprints.items()},
            "files": {part: dict(found.files) for part, found in prepared.fingerprints.items()},
            "examples": examples,
            "recipe": prepared.recipe,
        },
        "versions": {**versions(str(machine["backend"])), **_plugins(plan.graph)},
        "machine": machine,
        **plan.objective.record(plan, prepared),
        "warnings": [warning.as_json() for warning in prepared.warnings],
    }


def _plugins(graph: Graph) -> dict[str, str]:
    """The packages whose layers the graph has, with their versions."""
    found = [plugin_of(node.layer) for node in graph.nodes.values()]
    return {name: number for plugin in found if plugin is not None for name, number in plugin.versions.items()}


def now() -> str:
    """The time, as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def as_json(document: Any) -> Any:
    """A document as JSON brings it back: its keys are text."""
    return json.loads(json.dumps(document, default=str))


def spec_record(spec: Spec, graph: Graph, path: Path) -> dict[str, Any]:
    """What ``run.json`` says of a spec: what it was, and where its paths lead from."""
    return {
        "hash": spec.hash,
        "file": spec.file,
        "folder": os.path.relpath(spec.folder, path.resolve()),
        "root": os.path.relpath(spec.root, path.resolve()),
        "overrides": list(spec.overrides),
        "document": as_json(spec.document.plain()),
        "nodes": node_digests(graph),
    }
