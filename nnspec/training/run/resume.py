"""Resuming a run from its newest checkpoint, with the same result as an uninterrupted run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nnspec.data.frames import bound, frames_by_part
from nnspec.data.prepare import Prepared
from nnspec.diagnostics import NnspecError
from nnspec.graph import Graph
from nnspec.spec import Spec
from nnspec.training.backends.devices import check_count, devices_for
from nnspec.training.backends.machine import restore_environment
from nnspec.training.loop.progress import Progress, Quiet, progress_for
from nnspec.training.processes.group import current
from nnspec.training.run.checkpoints import Checkpoint, Checkpoints, DamagedCheckpoint
from nnspec.training.run.create import spec_record
from nnspec.training.run.files import DamagedRun
from nnspec.training.run.folder import Run
from nnspec.training.run.follower import Follower, copy_of, private_folder
from nnspec.training.run.lock import run_lock
from nnspec.training.run.resume_checks import (
    check_checkpoint,
    check_same_data,
    check_same_graph,
    check_same_machine,
    check_same_spec,
)
from nnspec.training.run.train import prepare_training
from nnspec.training.run.writer import CHECKPOINT_MINUTES, CHECKPOINTS_KEPT, RunWriter, check_checkpointing
from nnspec.training.trackers.tracking import Tracking, check_trackers, recorded

_ENDED = ("finished", "stopped early")


def resume(
    path: Run | str | Path,
    *,
    spec: str | Path | None = None,
    data: Any = None,
    overrides: Sequence[str] = (),
    progress: Progress | None = None,
    checkpoint_every: float | None = None,
    keep: int | None = None,
    allow_different: bool = False,
    devices: int | None = None,
    stop: Callable[[], bool] | None = None,
) -> Run:
    """Resumes a run from its newest checkpoint, which may be in the middle of an epoch.

    On a CPU, the weights are bit-identical to those of an uninterrupted run. A finished run is extended if ``train.epochs`` is
    increased.

    Args:
        path: The run, or its folder.
        spec: A spec to compare with that of the run; by default the file that the run was started from, if it exists.
        data: The data of a run that was trained on tables in memory, as for [`train`][nnspec.training.run.train.train].
        overrides: Overrides, ``path=value`` each; only the number of epochs or steps may change.
        progress: Reports progress; by default on standard error.
        checkpoint_every: Minutes between checkpoints in the middle of an epoch; by default as before.
        keep: The number of newest checkpoints to keep; by default as before.
        allow_different: Whether to resume if the file of the spec, the versions, the processor or the threads differ, with the
            run's own spec and a result that is not bit-identical.
        devices: The number of devices of this process that share each batch, on JAX; None for one. It may differ from that
            of the run, whose result it then equals within rounding.
        stop: Called after each step; whether to stop, as Ctrl-C does. None for never.

    Returns:
        The run.

    Raises:
        SpecError: If the spec or its data have errors.
        NnspecError: If the run cannot be resumed, because the spec or the data changed. The run is then unchanged.
    """
    check_checkpointing(checkpoint_every, keep)
    check_count(devices)
    shown = (progress or progress_for()) if current().writes else Quiet()
    known = frames_by_part(data, "train") if data is not None else path.frames if isinstance(path, Run) else {}
    run = Run.open(path.path if isinstance(path, Run) else path)
    run.objective  # noqa: B018 (raises if its package is not installed)
    with _resumed(run) as own:
        folder = Checkpoints(run.path / "checkpoints")
        checkpoint, damaged = folder.newest()
        current().same("the checkpoint", "" if checkpoint is None else str(checkpoint.position.step))
        wanted = _spec_to_resume(run, checkpoint, damaged, spec, overrides, shown, allow_different=allow_different)
        if wanted is None:
            shown.print(_ended_text(run))
            return run
        wanted = bound(wanted, known)
        _check_longer(run, wanted, checkpoint)
        restore_environment(run.info["machine"])
        plan, prepared = prepare_training(wanted, shown)
        check_same_graph(run, plan.graph)
        check_same_data(run, prepared)
        from nnspec.training.backends.selection import machine
        from nnspec.training.run.finish import finish
        from nnspec.training.run.session import Session

        strategy = run.info["machine"].get("strategy")
        shared = devices_for(strategy, devices)
        different = check_same_machine(run, plan, machine(strategy, shared), shown, allow_different=allow_different)
        session = Session(wanted, plan, prepared, shown, shared)
        every, most = _checkpointing(run, checkpoint_every, keep)
        tracking = Tracking.reopen(own, shown.print) if current().writes else Tracking()
        writer = (RunWriter if current().writes else Follower)(own, keep=most, every_minutes=every, tracking=tracking)
        _restore_transforms(writer, prepared, shown)
        if checkpoint is not None:
            check_checkpoint(run, checkpoint)
            session.restore(checkpoint, writer, folder)
        else:
            writer.restore_log([])
        if current().writes:
            for error in damaged:
                error.path.unlink(missing_ok=True)
        settings = {"every_minutes": every, "keep": most}
        writer.run = _mark_resumed(
            writer.run,
            wanted,
            plan.graph,
            checkpoints=settings,
            trackers={**recorded(run.info), **tracking.states()},
            **different,
        )
        shown.print(_start_text(run, checkpoint))
        return finish(session, writer, shown, stop).with_frames(wanted.frames)


@contextmanager
def _resumed(run: Run) -> Iterator[Run]:
    """The run that this process writes to: the run itself, locked, or a copy."""
    if current().writes:
        with run_lock(run.path):
            yield run
        return
    with private_folder() as folder:
        yield copy_of(run, folder / "run")


def _spec_to_resume(
    run: Run,
    checkpoint: Checkpoint | None,
    damaged: Sequence[DamagedCheckpoint],
    spec: str | Path | None,
    overrides: Sequence[str],
    shown: Progress,
    *,
    allow_different: bool,
) -> Spec | None:
    """The spec with which the run is resumed; None if it has ended, and is neither damaged nor extended."""
    broken = _broken(run, shown) if run.status in _ENDED else []
    if run.status in _ENDED and not broken and spec is None and not overrides:
        for error in damaged:
            shown.print(str(error))
        return None
    check_trackers(recorded(run.info))
    for error in damaged:
        shown.print(f"{error}; {'resuming from the previous one' if checkpoint else 'there is no previous one'}")
    wanted = check_same_spec(run, spec, overrides, allow_different=allow_different)
    if run.status in _ENDED and not broken and not _is_longer(run, wanted):
        return None
    if broken and checkpoint is None:
        raise NnspecError(f"{run.path} has no checkpoint to restore it from\n  = help: train again")
    return wanted


# --- length -----------------------------------------------------------------------------------------------------------------


def _epochs(document: Mapping[str, Any]) -> Any:
    """The number of epochs of the last phase in a document."""
    section = document.get("train")
    phases = section.get("phases") if isinstance(section, dict) else None
    last = phases[-1] if phases and isinstance(phases, list) else None
    for place in (last, section):
        if isinstance(place, dict) and "epochs" in place:
            return place["epochs"]
    return None


def _is_longer(run: Run, wanted: Spec) -> bool:
    return bool(_epochs(wanted.document.plain()) != _epochs(run.info["spec"]["document"]))


def _check_longer(run: Run, wanted: Spec, checkpoint: Checkpoint | None) -> None:
    """Checks that a changed number of epochs continues the same training."""
    if not _is_longer(run, wanted) or checkpoint is None:
        return
    if run.status == "stopped early":
        raise NnspecError(f"{run.path} was stopped early, and more epochs do not change that\n{_NEW_RUN}")
    epochs = _epochs(wanted.document.plain())
    if isinstance(epochs, int) and epochs < checkpoint.position.phase_epoch:
        raise NnspecError(f"{run.path} has already completed {checkpoint.position.phase_epoch} epochs, more than {epochs}")


_NEW_RUN = "  = help: start a new run from its weights, with `weights: {file: RUN}` on a step"


def _ended_text(run: Run) -> str:
    how = "is finished" if run.status == "finished" else "was stopped early"
    can_extend = run.status == "finished" and _epochs(run.info["spec"]["document"]) is not None
    more = "; `--set train.epochs=N` extends it" if can_extend else ""
    return f"{run.path} {how} after {run.info.get('epochs')} epochs: there is nothing to resume{more}"


# --- the run folder -------------------------------------------------------------------------------------------------------


def _checkpointing(run: Run, every: float | None, keep: int | None) -> tuple[float, int]:
    before = run.info.get("checkpoints") or {}
    return (
        (before.get("every_minutes") or CHECKPOINT_MINUTES) if every is None else every,
        (before.get("keep") or CHECKPOINTS_KEPT) if keep is None else keep,
    )


def _broken(run: Run, shown: Progress) -> list[DamagedRun]:
    """Reports the damaged files of a finished run, which are restored."""
    found = run.damaged()
    for error in found:
        shown.print(f"{str(error).partition(chr(10))[0]}; restoring it")
    return found


def _restore_transforms(writer: RunWriter, prepared: Prepared, shown: Progress) -> None:
    """Rewrites the state of the transforms, fitted to the same data, if the file is missing or damaged."""
    try:
        writer.run.transforms()
    except DamagedRun as error:
        if writer.run.status not in _ENDED:
            shown.print(f"{str(error).partition(chr(10))[0]}; restoring it")
        writer.run = writer.run.write_transforms(prepared.state)


def _mark_resumed(run: Run, spec: Spec, graph: Graph, **entries: Any) -> Run:
    """Records the resume, and the new spec if the run is extended."""
    record = dict(run.info["spec"])
    if _is_longer(run, spec):
        now = spec_record(spec, graph, run.path)
        # The hash is written first, so that a process killed between the two writes leaves a readable run.
        run = run.write_info(spec={**record, "hash_next": now["hash"]}).write_spec(spec)
        record = {**record, "hash": now["hash"], "document": now["document"]}
    record.pop("hash_next", None)
    return run.write_info(status="running", spec=record, resumed=run.info.get("resumed", 0) + 1, **entries)


def _start_text(run: Run, checkpoint: Checkpoint | None) -> str:
    if checkpoint is None:
        return f"resuming {run.path} from the start: there is no checkpoint yet"
    at = checkpoint.position
    middle = f", {at.in_epoch:,} steps into epoch {at.epoch + 1}" if at.in_epoch else f", after epoch {at.epoch}"
    return f"resuming {run.path} from step {at.step:,}{middle}"
