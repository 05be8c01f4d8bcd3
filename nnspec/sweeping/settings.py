"""The settings and the folder of a sweep, checked before the first trial."""

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
from nnspec.training.check import check_training
from nnspec.training.checks.monitors import epoch_metrics
from nnspec.training.plan import Monitor
from nnspec.types import did_you_mean, listed

_SETTINGS = "asked.json"


def sweep_settings(spec: Spec) -> tuple[SweepSection, Monitor]:
    """The section ``sweep``, and the metric to optimize.

    Raises:
        SpecError: If the spec has errors.
        NnspecError: If there is no such section, or the metric is unknown.
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
    metrics = epoch_metrics(plan.outputs, plan.data).modes
    mode = metrics.get(section.monitor)
    if mode is None:
        help = did_you_mean(section.monitor, metrics, "use " + listed(metrics))
        raise NnspecError(f"cannot monitor `{section.monitor}`: it is unknown, or has no direction\n  = help: {help}")
    return section, Monitor(section.monitor, mode)


def sweep_folder(spec: Spec, out: Path | None, section: SweepSection, monitor: Monitor, *, resume: bool) -> Path:
    """Creates the folder, with a record of the settings, which must not change when a sweep is resumed.

    Raises:
        NnspecError: If the folder is not empty, or the resumed sweep has other settings.
    """
    if out is None:
        if resume:
            raise NnspecError("`--resume` needs the folder of the sweep\n  = help: name it with `--out`")
        out = Path("runs") / spec.name / f"sweep-{datetime.now().strftime('%Y%m%d-%H%M%S')}"
    settings = {"over": section.model_dump(mode="json")["over"], "monitor": asdict(monitor), "spec": _without_sweep(spec)}
    record = out / _SETTINGS
    if resume:
        if not record.is_file():
            raise NnspecError(f"there is no sweep at {out}")
        try:
            before = json.loads(record.read_text("utf-8"))
        except (ValueError, OSError) as error:
            raise NnspecError(f"{record} is damaged: {error}") from None
        changed = [name for name, value in settings.items() if before.get(name) != json.loads(json.dumps(value))]
        if changed:
            what = ", ".join({"over": "the ranges", "monitor": "the monitor", "spec": "the spec"}[c] for c in changed)
            raise NnspecError(
                f"{what} changed since the start of the sweep at {out}\n  = help: start another sweep with another `--out`"
            )
        return out
    if not is_free(out):
        help = "name an empty or a new folder"
        help += ", or continue it with `--resume`" if record.is_file() else ""
        raise NnspecError(f"{out} exists and is not empty\n  = help: {help}")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NnspecError(f"cannot create the folder {out}: {error.strerror}") from error
    write_whole(record, json.dumps(settings, indent=1) + "\n")
    return out


def _without_sweep(spec: Spec) -> Any:
    return {name: value for name, value in spec.document.plain().items() if name != "sweep"}
