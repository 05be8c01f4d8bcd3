"""Goes on with a run: from its newest checkpoint, to the weights it would have had if it had never stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nnspec.data.prepare import Prepared
from nnspec.diagnostics import NnspecError
from nnspec.extras import require
from nnspec.graph import Graph
from nnspec.spec import Spec
from nnspec.training.backends.devices import devices_for
from nnspec.training.loop.progress import Progress, progress_for
from nnspec.training.run.checkpoints import Checkpoint, Checkpoints
from nnspec.training.run.create import spec_record
from nnspec.training.run.files import DamagedRun
from nnspec.training.run.folder import Run
from nnspec.training.run.lock import run_lock
from nnspec.training.run.machine import restore_environment
from nnspec.training.run.resume_checks import (
    check_checkpoint,
    check_same_data,
    check_same_graph,
    check_same_machine,
    check_same_spec,
)
from nnspec.training.run.train import prepare_training
from nnspec.training.run.writer import CHECKPOINT_MINUTES, CHECKPOINTS_KEPT, RunWriter

__all__ = ["resume"]

_ENDED = ("finished", "stopped early")


def resume(
    path: str | Path,
    *,
    spec: str | Path | None = None,
    overrides: Sequence[str] = (),
    progress: Progress | None = None,
    checkpoint_every: float | None = None,
    keep: int | None = None,
    allow_different: bool = False,
) -> Run:
    """Goes on with a run from its newest checkpoint, in the middle of an epoch too.

    On the CPU the weights come out bit for bit as those of a run that was never stopped. A run that has ended goes on where
    ``train.epochs`` is given more of them.

    Args:
        path: The run folder.
        spec: The spec, where it is to be held against the run's; by default the file that the run was begun from, if it is
            still there.
        overrides: ``path=value`` each; only the number of epochs or steps may change.
        progress: Shows how it goes; by default on standard error.
        checkpoint_every: Minutes after which a checkpoint is taken in the middle of an epoch; by default as before.
        keep: How many of the newest checkpoints are kept; by default as before.
        allow_different: Whether to go on where the spec's own file, the versions, the processor or the threads differ: by the
            run's own spec, and not to the same bits.

    Returns:
        The run.

    Raises:
        SpecError: If the spec or its data have errors.
        NnspecError: If it cannot go on: another spec or other data, said which; nothing has changed then.
    """
    shown = progress or progress_for()
    run = Run.open(path)
    with run_lock(run.path):
        checkpoint, damaged = Checkpoints(run.path / "checkpoints").newest()
        broken = _broken(run, shown) if run.status in _ENDED else []
        if run.status in _ENDED and not broken and spec is None and not overrides:
            for error in damaged:
                shown.say(str(error))
            shown.say(_has_ended(run))
            return run
        if run.info.get("tensorboard"):
            require("tensorboard")
        for error in damaged:
            before = "going on from the one before it" if checkpoint else "there is none before it"
            shown.say(f"{error}; {before}")
        wanted = check_same_spec(run, spec, overrides, allow_different=allow_different)
        if run.status in _ENDED and not broken and not _is_longer(run, wanted):
            shown.say(_has_ended(run))
            return run
        if broken and checkpoint is None:
            raise NnspecError(f"{run.path} has no checkpoint to restore that from\n  = help: train it again")
        _check_longer(run, wanted, checkpoint)
        restore_environment(run.info["machine"])
        plan, prepared = prepare_training(wanted, shown)
        check_same_graph(run, plan.graph)
        check_same_data(run, prepared)
        from nnspec.training.backends.selection import machine
        from nnspec.training.loop.session import Session
        from nnspec.training.run.finish import finish

        strategy = run.info["machine"].get("strategy")
        different = check_same_machine(run, machine(strategy), shown, allow_different=allow_different)
        session = Session(wanted, plan, prepared, shown, devices_for(strategy))
        every, most = _checkpointing(run, checkpoint_every, keep)
        writer = RunWriter(run, keep=most, every_minutes=every, tensorboard=bool(run.info.get("tensorboard")))
        _restore_transforms(writer, prepared, shown)
        if checkpoint is not None:
            check_checkpoint(run, checkpoint)
            session.restore(checkpoint, writer)
        else:
            writer.restore_log([])
        for error in damaged:
            error.path.unlink(missing_ok=True)
        writer.run = _begun_again(
            writer.run, wanted, plan.graph, checkpoints={"every_minutes": every, "keep": most}, **different
        )
        shown.say(_from_where(run, checkpoint))
        return finish(session, writer, shown)


# --- how long -------------------------------------------------------------------------------------------------------------


def _epochs(document: Mapping[str, Any]) -> Any:
    """How long the last phase is, as a document has it."""
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
    """Whether more or fewer epochs mean anything: what has been done must be what the longer training would have done."""
    if not _is_longer(run, wanted) or checkpoint is None:
        return
    if run.status == "stopped early":
        raise NnspecError(f"{run.path} was ended by early stopping: more epochs would not have gone on\n{_ANEW}")
    epochs = _epochs(wanted.document.plain())
    if isinstance(epochs, int) and epochs < checkpoint.position.phase_epoch:
        raise NnspecError(f"{run.path} has finished {checkpoint.position.phase_epoch} epochs already; {epochs} are fewer")


_ANEW = "  = help: begin a new run from its weights: `weights: {file: RUN}` beside a step"


def _has_ended(run: Run) -> str:
    how = "has finished" if run.status == "finished" else "was ended by early stopping"
    can_go_on = run.status == "finished" and _epochs(run.info["spec"]["document"]) is not None
    more = "; `--set train.epochs=N` trains on" if can_go_on else ""
    return f"{run.path} {how}, after {run.info.get('epochs')} epochs: there is nothing to go on with{more}"


# --- the run folder -------------------------------------------------------------------------------------------------------


def _checkpointing(run: Run, every: float | None, keep: int | None) -> tuple[float, int]:
    before = run.info.get("checkpoints") or {}
    return (
        (before.get("every_minutes") or CHECKPOINT_MINUTES) if every is None else every,
        (before.get("keep") or CHECKPOINTS_KEPT) if keep is None else keep,
    )


def _broken(run: Run, shown: Progress) -> list[DamagedRun]:
    """What of a run that has ended must be restored; it is said."""
    found = run.damaged()
    for error in found:
        shown.say(f"{str(error).partition(chr(10))[0]}; it is restored")
    return found


def _restore_transforms(writer: RunWriter, prepared: Prepared, shown: Progress) -> None:
    """Writes what the transforms learned, where the file is missing or damaged; it is learned anew from the same data."""
    try:
        writer.run.transforms()
    except DamagedRun as error:
        if writer.run.status not in _ENDED:
            shown.say(f"{str(error).partition(chr(10))[0]}; it is restored")
        writer.run = writer.run.write_transforms(prepared.state)


def _begun_again(run: Run, spec: Spec, graph: Graph, **noted: Any) -> Run:
    """Notes that it goes on; where it is to be longer, its spec says so from now on."""
    said = dict(run.info["spec"])
    if _is_longer(run, spec):
        now = spec_record(spec, graph, run.path)
        # The hash is written before the file, so that a kill between the two leaves a run that can be read.
        run = run.write_info(spec={**said, "hash_next": now["hash"]}).write_spec(spec)
        said = {**said, "hash": now["hash"], "document": now["document"]}
    said.pop("hash_next", None)
    return run.write_info(status="running", spec=said, resumed=run.info.get("resumed", 0) + 1, **noted)


def _from_where(run: Run, checkpoint: Checkpoint | None) -> str:
    if checkpoint is None:
        return f"going on with {run.path} from its beginning: there was no checkpoint yet"
    at = checkpoint.position
    middle = f", {at.in_epoch:,} steps into epoch {at.epoch + 1}" if at.in_epoch else f", after epoch {at.epoch}"
    return f"going on with {run.path} from step {at.step:,}{middle}"
