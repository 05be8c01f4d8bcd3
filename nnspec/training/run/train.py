"""Trains a spec into a run folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nnspec.data.frames import with_data
from nnspec.data.prepare import Prepared, prepare
from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.graph import Model, compile
from nnspec.spec import Document, Spec, load
from nnspec.spec.ignores import silence
from nnspec.training.backends.devices import Strategy, check_count, devices_for
from nnspec.training.check import check_training
from nnspec.training.checks.class_batches import check_class_counts
from nnspec.training.checks.detected_classes import check_detected_classes
from nnspec.training.loop.progress import Progress, Quiet, progress_for
from nnspec.training.plan import TrainingPlan
from nnspec.training.processes.group import current
from nnspec.training.run.create import create_run, run_folder
from nnspec.training.run.folder import Run
from nnspec.training.run.follower import Follower, private_folder
from nnspec.training.run.latest import link_latest
from nnspec.training.run.lock import run_lock
from nnspec.training.run.writer import CHECKPOINT_MINUTES, CHECKPOINTS_KEPT, RunWriter, check_checkpointing
from nnspec.training.trackers.tracker import TrackerError
from nnspec.training.trackers.tracking import Tracking, check_trackers


def train(
    spec: Spec | Document,
    *,
    data: Any = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    checkpoint_every: float = CHECKPOINT_MINUTES,
    keep: int = CHECKPOINTS_KEPT,
    strategy: Strategy | None = None,
    devices: int | None = None,
    track: Sequence[str] = (),
    stop: Callable[[], bool] | None = None,
) -> Run:
    """Trains a spec according to its sections ``train`` and ``data``.

    Ctrl-C and SIGTERM stop after the current step and save a checkpoint for [`resume`][nnspec.training.run.resume.resume]. The
    best weights so far are kept, or the last ones if no epoch is complete.

    Args:
        spec: The spec, its file, or its document as a dict.
        data: The training data, in place of those of the spec: a DataFrame, or a dict of arrays by column; or a dict of these
            by split, `train`, `validation` and `test`.
        out: The run folder; by default ``runs/NAME/TIME``, which the link ``runs/NAME/latest`` then names.
        overwrite: Whether to replace a run at ``out``.
        progress: Reports progress; by default on standard error.
        checkpoint_every: Minutes between checkpoints in the middle of an epoch, in addition to one after each epoch.
        keep: The number of newest checkpoints to keep, in addition to that of the best epoch.
        strategy: How several devices share the training on TensorFlow; None for one device.
        devices: The number of devices of this process that share each batch, on JAX; None for one.
        track: The trackers that record the metrics too: ``mlflow``, ``tensorboard`` (in the run folder) or ``wandb``.
        stop: Called after each step; whether to stop, as Ctrl-C does. None for never.

    Returns:
        The run, with the best weights.

    Raises:
        SpecError: If the spec or its data have errors; nothing is trained or written then.
        NnspecError: If the run cannot be written, the strategy needs more devices, a tracker cannot be opened, or the loss is
            not finite.
    """
    track = [track] if isinstance(track, str) else track
    check_trackers(track)
    check_checkpointing(checkpoint_every, keep)
    check_count(devices)
    if not isinstance(spec, Spec):
        spec = load(spec)
    spec = with_data(spec, data)
    group = current()
    shown = (progress or progress_for()) if group.writes else Quiet()
    model, plan, problems = _plan(spec)
    with _folder(spec, out, overwrite=overwrite) as path:
        prepared = _prepared(plan, model, problems, shown)
        check_same_everywhere(spec, prepared)
        # Keras takes seconds to load, so errors in the data are reported first.
        from nnspec.training.backends.selection import machine
        from nnspec.training.run.finish import finish
        from nnspec.training.run.session import Session

        shared = devices_for(strategy, devices)
        now = machine(strategy, shared)
        session = Session(spec, plan, prepared, shown, shared)
        run = create_run(path, spec, plan, prepared, now, {"every_minutes": checkpoint_every, "keep": keep})
        if out is None and group.writes:
            link_latest(path)
        for line in _start_lines(run, session.parameters):
            shown.print(line)
        if session.taken:
            run = run.write_info(initial_weights=[taken.as_json() for taken in session.taken])
            for taken in session.taken:
                shown.print(taken.text())
        if session.vectors:
            run = run.write_info(vectors={name: joined.as_json() for name, joined in session.vectors.items()})
            for name, joined in session.vectors.items():
                shown.print(joined.text(name))
        with run_lock(path):
            run, tracking = _tracked(run, track if group.writes else (), shown)
            kind = RunWriter if group.writes else Follower
            writer = kind(run, keep=keep, every_minutes=checkpoint_every, tracking=tracking)
            return finish(session, writer, shown, stop).with_frames(spec.frames)


@contextmanager
def _folder(spec: Spec, out: str | Path | None, *, overwrite: bool) -> Iterator[Path]:
    """The folder that this process writes its run to."""
    if current().writes:
        yield run_folder(spec, Path(out) if out is not None else None, overwrite=overwrite)
        return
    with private_folder() as folder:
        yield folder / "run"


def check_same_everywhere(spec: Spec, prepared: Prepared) -> None:
    """Checks that all processes of the training have the same spec and data.

    Args:
        spec: The spec.
        prepared: The data.

    Raises:
        NnspecError: If one differs, or ended with an error.
    """
    current().same("the spec", spec.hash)
    for part, found in prepared.fingerprints.items():
        current().same(f"data.{part}", found.whole)


def _tracked(run: Run, names: Sequence[str], shown: Progress) -> tuple[Run, Tracking]:
    """Open the trackers of a new run, which has failed if one cannot be opened."""
    if not names:
        return run, Tracking()
    run = run.write_info(trackers={name: {} for name in names})
    try:
        tracking = Tracking.open(run, shown.print)
    except TrackerError as error:
        run.write_info(status="failed", reason=str(error))
        raise
    tracking.announce()
    return run.write_info(trackers=tracking.states()), tracking


def prepare_training(spec: Spec, progress: Progress) -> tuple[TrainingPlan, Prepared]:
    """Checks a spec and prepares its data, and prints warnings.

    Args:
        spec: The spec.
        progress: Reports warnings.

    Raises:
        SpecError: If the spec or its data have errors.
    """
    model, plan, problems = _plan(spec)
    return plan, _prepared(plan, model, problems, progress)


def _plan(spec: Spec) -> tuple[Model, TrainingPlan, list[Diagnostic]]:
    problems: list[Diagnostic] = []
    model = compile(spec)
    plan = check_training(spec, model, problems, require_data=True)
    if plan is None or plan.data is None:
        raise SpecError(problems)
    return model, plan, problems


def _start_lines(run: Run, parameters: int) -> Iterator[str]:
    """What is trained, on what and into which folder."""
    machine, examples = run.info["machine"], run.info["data"]["examples"]
    devices = Counter(machine.get("devices") or ["CPU"])
    device = ", ".join(f"{count} {name}s" if count > 1 else str(name) for name, count in devices.items())
    validation = f" and {examples['validation']:,} for validation" if examples["validation"] else ""
    yield f"training {run.name}: {parameters:,} parameters, {examples['train']:,} examples{validation}"
    processes = f" in {machine['processes']} processes" if machine.get("processes", 1) > 1 else ""
    yield f"on {machine['backend']} ({device}){processes}, into {run.path}"


def _prepared(plan: TrainingPlan, model: Model, problems: list[Diagnostic], progress: Progress) -> Prepared:
    assert plan.data is not None
    prepared = prepare(plan.data, plan.section.seed)
    check_class_counts(plan, prepared)
    warnings = [warning for warning in prepared.warnings if warning.severity != "note"]
    warnings += check_detected_classes(plan, model, prepared)
    for warning in silence([*model.diagnostics, *problems, *warnings]):
        progress.print(f"{warning.span}: {warning.severity}[{warning.code}]: {warning.message}")
    return prepared
