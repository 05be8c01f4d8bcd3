"""Trains a spec into a run folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nnspec.data.prepare import Prepared, prepare
from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.extras import require
from nnspec.graph import Model, compile
from nnspec.spec import Spec, load
from nnspec.spec.ignores import silence
from nnspec.training.backends.devices import Strategy, devices_for
from nnspec.training.checks.training import check_training
from nnspec.training.loop.progress import Progress, progress_for
from nnspec.training.plan import TrainingPlan
from nnspec.training.run.create import create_run, run_folder
from nnspec.training.run.folder import Run
from nnspec.training.run.lock import run_lock
from nnspec.training.run.writer import CHECKPOINT_MINUTES, CHECKPOINTS_KEPT, RunWriter

__all__ = ["prepare_training", "train"]


def train(
    spec: Spec | str | Path,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    checkpoint_every: float = CHECKPOINT_MINUTES,
    keep: int = CHECKPOINTS_KEPT,
    strategy: Strategy | None = None,
    tensorboard: bool = False,
    stop: Callable[[], bool] | None = None,
) -> Run:
    """Trains a spec as its sections ``train`` and ``data`` say.

    Ctrl-C and SIGTERM stop after the step with a checkpoint, from which [`resume`][nnspec.training.run.resume.resume] goes on.
    The best weights so far are kept, or the last where no epoch has ended.

    Args:
        spec: The spec, or its file.
        out: The run folder; by default ``runs/NAME/TIME``.
        overwrite: Whether a run that is at ``out`` is replaced.
        progress: Shows how it goes; by default on standard error.
        checkpoint_every: Minutes after which a checkpoint is taken in the middle of an epoch; one is taken after each epoch
            in any case.
        keep: How many of the newest checkpoints are kept, beside that of the best epoch.
        strategy: How several devices share the training; None if one alone runs it.
        tensorboard: Whether the metrics are written for TensorBoard too, into ``tensorboard`` in the run folder.
        stop: Asked after each step whether to stop, as Ctrl-C does; None for never.

    Returns:
        The run, with the best weights.

    Raises:
        SpecError: If the spec or its data have errors; nothing has been trained or written then.
        NnspecError: If the run cannot be written, there are not several devices, or the loss is no longer finite.
    """
    if tensorboard:
        require("tensorboard")
    if not isinstance(spec, Spec):
        spec = load(spec)
    shown = progress or progress_for()
    model, plan, problems = _plan(spec)
    path = run_folder(spec, Path(out) if out is not None else None, overwrite=overwrite)
    prepared = _prepared(plan, model, problems, shown)
    # Keras takes seconds to load; whoever has errors in the data learns of them before.
    from nnspec.training.backends.selection import machine
    from nnspec.training.loop.session import Session
    from nnspec.training.run.finish import finish

    now = machine(strategy)
    session = Session(spec, plan, prepared, shown, devices_for(strategy))
    run = create_run(path, spec, plan, prepared, now, {"every_minutes": checkpoint_every, "keep": keep})
    if tensorboard:
        run = run.write_info(tensorboard=True)
    with run_lock(path):
        writer = RunWriter(run, keep=keep, every_minutes=checkpoint_every, tensorboard=tensorboard)
        return finish(session, writer, shown, stop)


def prepare_training(spec: Spec, progress: Progress) -> tuple[TrainingPlan, Prepared]:
    """What a training begins with: the plan and the data. What is worth saying is said.

    Args:
        spec: The spec.
        progress: Where it is said.

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


def _prepared(plan: TrainingPlan, model: Model, problems: list[Diagnostic], progress: Progress) -> Prepared:
    assert plan.data is not None
    prepared = prepare(plan.data, plan.section.seed)
    for warning in silence([*model.diagnostics, *problems, *prepared.warnings]):
        progress.say(f"{warning.span}: {warning.severity}[{warning.code}]: {warning.message}")
    return prepared
