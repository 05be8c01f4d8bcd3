"""What a sweep is asked for, and where it is written: both known before anything is trained."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from nnspec.diagnostics import Diagnostic, NnspecError, SpecError
from nnspec.files import is_free, write_whole
from nnspec.graph import compile
from nnspec.spec import Spec
from nnspec.sweeping.check import check_sweep
from nnspec.sweeping.section import SweepSection
from nnspec.training.checks.monitors import epoch_metrics
from nnspec.training.checks.training import check_training
from nnspec.training.plan import Monitor
from nnspec.types import closest

__all__ = ["sweep_settings", "sweep_folder"]

_ASKED = "asked.json"


def sweep_settings(spec: Spec) -> tuple[SweepSection, Monitor]:
    """The section ``sweep``, and the metric that says which trial is best.

    Raises:
        SpecError: If the spec has errors.
        NnspecError: If it has no such section, or no epoch has the figure.
    """
    problems: list[Diagnostic] = []
    section = check_sweep(spec, problems)
    if section is None:
        if problems:
            raise SpecError(problems)
        raise NnspecError(
            f"the spec {spec.file} has no section `sweep`\n"
            "  = help: write `sweep: {over: {train.optimizer.Adam.learning_rate: {float: [1e-4, 1e-2], log: true}}}`"
        )
    plan = check_training(spec, compile(spec), problems, require_data=True)
    if plan is None or any(problem.is_error for problem in problems):
        raise SpecError(problems)
    if section.monitor is None:
        return section, plan.monitor
    metrics = epoch_metrics(plan.outputs, plan.data).metrics
    mode = metrics.get(section.monitor)
    if mode is None:
        meant = closest(section.monitor, metrics)
        help = f"did you mean `{meant}`?" if meant else "there are " + ", ".join(f"`{name}`" for name in metrics)
        raise NnspecError(f"no epoch has a metric `{section.monitor}` to watch\n  = help: {help}")
    return section, Monitor(section.monitor, mode)


def sweep_folder(spec: Spec, out: Path | None, section: SweepSection, monitor: Monitor, *, resume: bool) -> Path:
    """The folder, with a note of what is searched: a sweep goes on over the same ranges.

    Raises:
        NnspecError: If something else is there, or the sweep that is there searched something else.
    """
    if out is None:
        if resume:
            raise NnspecError("which sweep goes on? name its folder with `--out`")
        out = Path("runs") / spec.name / f"sweep-{datetime.now().strftime('%Y%m%d-%H%M%S')}"
    asked = {"over": section.model_dump(mode="json")["over"], "monitor": asdict(monitor), "spec": _without_sweep(spec)}
    note = out / _ASKED
    if resume:
        if not note.is_file():
            raise NnspecError(f"there is no sweep at {out}")
        try:
            before = json.loads(note.read_text("utf-8"))
        except (ValueError, OSError) as error:
            raise NnspecError(f"{note} is damaged: {error}") from None
        changed = [name for name, value in asked.items() if before.get(name) != json.loads(json.dumps(value))]
        if changed:
            told = ", ".join({"over": "the ranges", "monitor": "what is watched", "spec": "the spec"}[c] for c in changed)
            raise NnspecError(
                f"{told} changed since the sweep at {out} began\n  = help: begin another with `--out` of another folder"
            )
        return out
    if not is_free(out):
        help = "name a folder that is empty, or not there yet"
        help += ", or go on with `--resume`" if note.is_file() else ""
        raise NnspecError(f"there is something at {out}\n  = help: {help}")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NnspecError(f"cannot make the folder {out}: {error.strerror}") from error
    write_whole(note, json.dumps(asked, indent=1) + "\n")
    return out


def _without_sweep(spec: Spec) -> Any:
    return {name: value for name, value in spec.document.plain().items() if name != "sweep"}
