"""Goes on with a run: from its newest checkpoint, to the weights it would have had if it had never stopped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nnspec.data.prepare import Prepared
from nnspec.diagnostics import NnspecError, SpecError
from nnspec.files import write_whole
from nnspec.graph import Graph
from nnspec.graph.fingerprint import node_digests
from nnspec.spec import Spec, load
from nnspec.spec.changes import changed_values
from nnspec.training.alone import alone
from nnspec.training.checkpoints import Checkpoint, Checkpoints
from nnspec.training.conditions import as_then, differences, versions
from nnspec.training.new_run import as_json, said_of_spec
from nnspec.training.progress import Progress, progress_for
from nnspec.training.run import Run
from nnspec.training.start import ready
from nnspec.training.writing import CHECKPOINT_MINUTES, CHECKPOINTS_KEPT, RunWriter

__all__ = ["resume"]

_ENDED = ("finished", "stopped early")
_MOST_LISTED = 8


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
        SpecError: Where the spec or its data have errors.
        NnspecError: Where it cannot go on: another spec or other data, said which; nothing has changed then.
    """
    shown = progress or progress_for()
    run = Run.open(path)
    with alone(run.path):
        checkpoint, damaged = Checkpoints(run.path / "checkpoints").newest()
        if run.status in _ENDED and spec is None and not overrides:
            shown.say(_has_ended(run))
            return run
        for error in damaged:
            shown.say(f"{error}; going on from the one before it")
        wanted = _same_spec(run, spec, overrides, allow_different=allow_different)
        if run.status in _ENDED and not _is_longer(run, wanted):
            shown.say(_has_ended(run))
            return run
        _check_longer(run, wanted, checkpoint)
        as_then(run.info["machine"])
        plan, prepared = ready(wanted, shown)
        _same_graph(run, plan.graph)
        _same_data(run, prepared)
        from nnspec.training.backend import machine
        from nnspec.training.ending import run_to_end
        from nnspec.training.session import Session

        different = _same_machine(run, machine(), shown, allow_different=allow_different)
        session = Session(wanted, plan, prepared, shown)
        every, most = _checkpointing(run, checkpoint_every, keep)
        writer = RunWriter(run, keep=most, every_minutes=every)
        if checkpoint is not None:
            _of_this_run(run, checkpoint)
            session.restore(checkpoint, writer)
        else:
            writer.begin_again([])
        for error in damaged:
            error.path.unlink(missing_ok=True)
        writer.run = _begun_again(run, wanted, plan.graph, checkpoints={"every_minutes": every, "keep": most}, **different)
        shown.say(_from_where(run, checkpoint))
        return run_to_end(session, writer, shown)


# --- what must be the same ------------------------------------------------------------------------------------------------


def _same_spec(run: Run, file: str | Path | None, overrides: Sequence[str], *, allow_different: bool) -> Spec:
    """The run's spec with the overrides applied, held against the one it was begun with, and against its file."""
    where = run.info["spec"]
    before = where["document"]
    own = _load_own(run, overrides)
    if changes := list(_changes(before, own.document.plain())):
        what = f"{run.path / 'spec.yaml'} was changed" if not overrides else "the spec would change"
        raise NnspecError(_refusal(f"{what} since the run was begun", changes))
    folder = run.place(where.get("folder"))
    original = Path(file) if file is not None else folder / Path(where["file"]).name if folder is not None else None
    if original is None or (file is None and not original.is_file()):
        return own
    try:
        given = load(original, tuple(overrides) if file is not None else (*where.get("overrides", ()), *overrides))
    except SpecError:
        if file is not None or not allow_different:
            raise
        return own
    changes = list(_changes(before, given.document.plain()))
    if changes and (file is not None or not allow_different):
        further = "; `--allow-different` goes on with the run's own spec" if file is None else ""
        raise NnspecError(_refusal(f"{original} was changed since the run was begun", changes, further))
    return given if file is not None else own


def _load_own(run: Run, overrides: Sequence[str]) -> Spec:
    where = run.info["spec"]
    file = run.path / "spec.yaml"
    if not file.is_file():
        raise NnspecError(f"{run.path} is damaged: it has no spec.yaml")
    return load(file, overrides, folder=run.place(where.get("folder")), root=run.place(where.get("root")))


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What may not change and did."""
    phases = before.get("train", {}).get("phases") or ()
    allowed = re.compile(rf"train\.phases\[{len(phases) - 1}\]\.epochs" if phases else r"train\.epochs")
    for path, what in changed_values(before, as_json(after)):
        if not allowed.fullmatch(path):
            yield f"{path}: {what}"


def _same_graph(run: Run, graph: Graph) -> None:
    then, now = run.info["spec"]["nodes"], node_digests(graph)
    changes = [f"{name}: {what}" for name, what in changed_values(then, now)]
    if changes:
        names = [change.partition(":")[0] for change in changes]
        listed = ", ".join(f"`{name}`" for name in names[:_MOST_LISTED])
        raise NnspecError(
            f"a file under `use` changed since the run was begun: other are {listed}\n"
            "  = help: take the change back, or begin a new run"
        )


def _same_data(run: Run, prepared: Prepared) -> None:
    then = run.info["data"]
    for part, now in prepared.fingerprints.items():
        if now.whole == then["fingerprints"].get(part):
            continue
        had = then.get("files", {}).get(part, {})
        changed = [name for name, digest in now.files.items() if had.get(name) != digest]
        what = ", ".join(changed) or "its values"
        raise NnspecError(
            f"the data changed since the run was begun: data.{part}: {what}\n"
            "  = help: bring back what was trained on, or begin a new run"
        )


def _same_machine(run: Run, now: Mapping[str, Any], progress: Progress, *, allow_different: bool) -> dict[str, list[str]]:
    """What ``run.json`` is to say of a machine that differs: nothing where none does."""
    here = {"versions": versions(str(now["backend"])), "machine": now}
    found = list(differences(run.conditions, here))
    if not found:
        return {}
    listed = "\n".join(f"  {line}" for line in found)
    if not allow_different:
        raise NnspecError(
            "the weights would not be bit for bit those of a run never stopped:\n"
            f"{listed}\n  = help: go on where it was begun, or take `--allow-different`: the training is then as good, "
            "but not the same to the last bit"
        )
    progress.say(f"not bit for bit the training that was begun:\n{listed}")
    return {"not_bit_for_bit": [*run.info.get("not_bit_for_bit", []), *found]}


def _of_this_run(run: Run, checkpoint: Checkpoint) -> None:
    if checkpoint.conditions.get("data") != run.conditions["data"]:
        raise NnspecError(f"{run.path / 'checkpoints' / checkpoint.file_name} is a checkpoint of another run")


def _refusal(what: str, changes: Sequence[str], further: str = "") -> str:
    listed = [f"  {change}" for change in changes[:_MOST_LISTED]]
    if len(changes) > _MOST_LISTED:
        listed.append(f"  … and {len(changes) - _MOST_LISTED} more")
    help = "take the change back, or begin a new run; only the number of epochs may change (`--set train.epochs=…`)"
    return "\n".join([f"{what}:", *listed, f"  = help: {help}{further}"])


# --- how long -------------------------------------------------------------------------------------------------------------


def _epochs(document: Mapping[str, Any]) -> Any:
    """How long the last phase is, as a document has it."""
    section = document.get("train", {})
    last = (section.get("phases") or [{}])[-1]
    return last.get("epochs", section.get("epochs"))


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
    return f"{run.path} {how}, after {run.info['epochs']} epochs: there is nothing to go on with{more}"


# --- the run folder -------------------------------------------------------------------------------------------------------


def _checkpointing(run: Run, every: float | None, keep: int | None) -> tuple[float, int]:
    before = run.info.get("checkpoints") or {}
    return (
        before.get("every_minutes", CHECKPOINT_MINUTES) if every is None else every,
        before.get("keep", CHECKPOINTS_KEPT) if keep is None else keep,
    )


def _begun_again(run: Run, spec: Spec, graph: Graph, **noted: Any) -> Run:
    """Notes that it goes on; where it is to be longer, its spec says so from now on."""
    said = dict(run.info["spec"])
    if _is_longer(run, spec):
        now = said_of_spec(spec, graph, run.path)
        # Three writes, so that a kill between any two leaves a run that can be read.
        run = run.write_info(spec={**said, "hash_next": now["hash"]})
        write_whole(run.path / "spec.yaml", spec.resolved().encode())
        said = {**said, "hash": now["hash"], "document": now["document"]}
    said.pop("hash_next", None)
    return run.write_info(status="running", spec=said, resumed=run.info.get("resumed", 0) + 1, **noted)


def _from_where(run: Run, checkpoint: Checkpoint | None) -> str:
    if checkpoint is None:
        return f"going on with {run.path} from its beginning: there was no checkpoint yet"
    at = checkpoint.position
    middle = f", {at.in_epoch:,} steps into epoch {at.epoch + 1}" if at.in_epoch else f", after epoch {at.epoch}"
    return f"going on with {run.path} from step {at.step:,}{middle}"
