"""Creation of a run folder."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nnspec.data.prepare import Prepared
from nnspec.diagnostics import NnspecError
from nnspec.files import is_free, to_disk, write_whole
from nnspec.generation.sampler_check import describes_sampler, sampling_of
from nnspec.graph import Graph, compile
from nnspec.graph.fingerprint import node_digests
from nnspec.layers.plugin import plugin_of as plugin_of_layer
from nnspec.spec import Spec
from nnspec.system import exists
from nnspec.training.backends.machine import versions
from nnspec.training.objectives.plugin import guarded, plugin_of
from nnspec.training.plan import TrainingPlan
from nnspec.training.run.digests import digest_of
from nnspec.training.run.files import TRANSFORMS, transforms_content
from nnspec.training.run.folder import FORMAT, Run
from nnspec.training.run.lock import run_lock


def run_folder(spec: Spec, out: Path | None, *, overwrite: bool) -> Path:
    """Chooses the folder of a run.

    Args:
        spec: The spec.
        out: The requested folder; by default ``runs/NAME/TIME``.
        overwrite: Whether to replace an existing run.

    Raises:
        NnspecError: If the folder exists and is not empty.
    """
    if out is None:
        base = Path("runs") / spec.name / datetime.now().strftime("%Y%m%d-%H%M%S")
        return next(path for path in (base, *(base.with_name(f"{base.name}-{i}") for i in range(2, 1000))) if not path.exists())
    if is_free(out):
        return out
    if not out.is_dir():
        raise NnspecError(f"{out} is a file; a run is a folder")
    if not (out / "run.json").is_file():
        raise NnspecError(f"{out} is not empty and not a run\n  = help: name another folder")
    if not overwrite:
        raise NnspecError(f"{out} is an existing run\n  = help: name another folder, or replace it with `--overwrite`")
    return out


def create_run(
    path: Path, spec: Spec, plan: TrainingPlan, prepared: Prepared, machine: dict[str, Any], checkpoints: dict[str, Any]
) -> Run:
    """Creates the folder atomically, with everything known before the first step; an existing run is replaced.

    Args:
        path: The folder.
        spec: The spec.
        plan: The training plan.
        prepared: The data.
        machine: The record of the machine.
        checkpoints: How often checkpoints are saved, and how many are kept.

    Raises:
        NnspecError: If it cannot be written, or another process is training into the existing run.
    """
    whole = path.resolve()
    temporary = whole.with_name(f".{whole.name}.{os.getpid()}.part")
    _remove_leftovers(whole.parent)
    existing = next(folder for folder in whole.parents if folder.exists())
    try:
        (temporary / "checkpoints").mkdir(parents=True)
        contents = {"spec.yaml": spec.resolved().encode(), TRANSFORMS: transforms_content(prepared.state)}
        for name, content in contents.items():
            write_whole(temporary / name, content, durable=True)
        digests = {name: [digest_of(content)] for name, content in contents.items()}
        Run(temporary, {}).write_info(**_info(path, spec, plan, prepared, machine), checkpoints=checkpoints, digests=digests)
        _move(temporary, path)
        for folder in (whole, *whole.parents):
            to_disk(folder)
            if folder == existing:
                break
    except OSError as error:
        raise NnspecError(f"the run cannot be written to {path}: {error.strerror}") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Run.open(path)


_PART = re.compile(r"\..+\.(\d+)\.part")


def _remove_leftovers(folder: Path) -> None:
    """Removes temporary folders of processes that were killed while they created a run."""
    for part in folder.glob(".*.part"):
        process = _PART.fullmatch(part.name)
        if process is None or not part.is_dir() or _is_another(int(process[1])):
            continue
        if {entry.name for entry in part.iterdir()} <= {"checkpoints", "spec.yaml", TRANSFORMS, "run.json"}:
            shutil.rmtree(part, ignore_errors=True)


def _is_another(process: int) -> bool:
    """Whether another process with this ID is running."""
    return process != os.getpid() and exists(process)


def _move(temporary: Path, path: Path) -> None:
    """Moves a folder to its place, replacing a run or filling an empty folder."""
    if (path / "run.json").is_file():
        with run_lock(path):
            shutil.rmtree(path)
    if not path.exists():
        temporary.rename(path)
        return
    for entry in sorted(temporary.iterdir(), key=lambda entry: entry.name == "run.json"):
        entry.rename(path / entry.name)


def _info(path: Path, spec: Spec, plan: TrainingPlan, prepared: Prepared, machine: dict[str, Any]) -> dict[str, Any]:
    """The content of ``run.json`` before the first step."""
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
            **_sampling(plan, prepared),
        },
        "versions": versions_of(plan, machine),
        "machine": machine,
        **guarded(plan.objective, plan.objective.record, plan, prepared),
        **_sampler_record(spec, prepared),
        "warnings": [warning.as_json() for warning in prepared.warnings],
    }


def _sampler_record(spec: Spec, prepared: Prepared) -> dict[str, Any]:
    """How the sampler of the section ``generate`` is sampled, if there is one."""
    if not describes_sampler(spec):
        return {}
    from nnspec.training.loop.sample_sheets import samples_of

    sampling = sampling_of(spec, compile(spec))
    return {} if sampling is None else {"sampler": samples_of(sampling, prepared).as_json()}


def _sampling(plan: TrainingPlan, prepared: Prepared) -> dict[str, Any]:
    """The entry of ``run.json`` for batches that are sampled by class."""
    given = plan.data.section.batches if plan.data is not None else None
    if given is None:
        return {}
    return {"batches": {"of": given.of, "each": given.each, "classes": int(prepared.classes["train"].max()) + 1}}


def versions_of(plan: TrainingPlan, machine: Mapping[str, Any]) -> dict[str, str | None]:
    """The versions of what a training depends on, by package: frameworks, and the packages of plug-ins.

    Args:
        plan: The plan.
        machine: What computes.
    """
    found = [plugin_of(plan.objective), *(plugin_of_layer(node.layer) for node in plan.graph.nodes.values())]
    plugins = {name: number for plugin in found if plugin is not None for name, number in plugin.versions.items()}
    return {**versions(str(machine["backend"])), **plugins}


def now() -> str:
    """The current time in UTC, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def as_json(document: Any) -> Any:
    """A document after a round trip through JSON, with strings as keys."""
    return json.loads(json.dumps(document, default=str))


def spec_record(spec: Spec, graph: Graph, path: Path) -> dict[str, Any]:
    """The entry of ``run.json`` for a spec: its content, and the folders that its paths are relative to."""
    return {
        "hash": spec.hash,
        "file": spec.file,
        "folder": os.path.relpath(spec.folder, path.resolve()),
        "root": os.path.relpath(spec.root, path.resolve()),
        "overrides": list(spec.overrides),
        "document": as_json(spec.document.plain()),
        "nodes": node_digests(graph),
    }
