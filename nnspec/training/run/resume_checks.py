"""What must be the same for a run to go on to the bits it would have had: the spec, the data, the machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nnspec.data.prepare import Prepared
from nnspec.diagnostics import NnspecError, SpecError
from nnspec.graph import Graph
from nnspec.graph.fingerprint import node_digests
from nnspec.spec import Spec, load
from nnspec.spec.changes import changed_values
from nnspec.training.loop.progress import Progress
from nnspec.training.run.checkpoints import Checkpoint
from nnspec.training.run.create import as_json
from nnspec.training.run.folder import Run
from nnspec.training.run.machine import differences, versions

__all__ = ["check_checkpoint", "check_same_data", "check_same_graph", "check_same_machine", "check_same_spec"]

_MOST_LISTED = 8


def check_same_spec(run: Run, file: str | Path | None, overrides: Sequence[str], *, allow_different: bool) -> Spec:
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
        settings = tuple(overrides) if file is not None else (*where.get("overrides", ()), *overrides)
        given = load(original, settings, root=run.place(where.get("root")))
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
    phases = (before.get("train") or {}).get("phases") or ()
    allowed = re.compile(rf"train\.phases\[{len(phases) - 1}\]\.epochs" if phases else r"train\.epochs")
    for path, what in changed_values(before, as_json(after)):
        if not allowed.fullmatch(path):
            yield f"{path}: {what}"


def check_same_graph(run: Run, graph: Graph) -> None:
    """Holds the network against the run's: files under `use` are not in the document.

    Raises:
        NnspecError: With the layers that are other ones.
    """
    then, now = run.info["spec"]["nodes"], node_digests(graph)
    changes = [f"{name}: {what}" for name, what in changed_values(then, now)]
    if changes:
        names = [change.partition(":")[0] for change in changes]
        listed = ", ".join(f"`{name}`" for name in names[:_MOST_LISTED])
        raise NnspecError(
            f"a file under `use` changed since the run was begun: other are {listed}\n"
            "  = help: take the change back, or begin a new run"
        )


def check_same_data(run: Run, prepared: Prepared) -> None:
    """Holds the data against the run's fingerprints.

    Raises:
        NnspecError: With the files that changed.
    """
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


def check_same_machine(run: Run, now: Mapping[str, Any], progress: Progress, *, allow_different: bool) -> dict[str, list[str]]:
    """What ``run.json`` is to say of a machine that differs: nothing if none does."""
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


def check_checkpoint(run: Run, checkpoint: Checkpoint) -> None:
    """Holds a checkpoint against the run that it lies in.

    Raises:
        NnspecError: If it was taken from another.
    """
    if checkpoint.conditions.get("data") != run.conditions["data"]:
        raise NnspecError(f"{run.path / 'checkpoints' / checkpoint.file_name} is a checkpoint of another run")


def _refusal(what: str, changes: Sequence[str], further: str = "") -> str:
    listed = [f"  {change}" for change in changes[:_MOST_LISTED]]
    if len(changes) > _MOST_LISTED:
        listed.append(f"  … and {len(changes) - _MOST_LISTED} more")
    help = "take the change back, or begin a new run; only the number of epochs may change (`--set train.epochs=…`)"
    return "\n".join([f"{what}:", *listed, f"  = help: {help}{further}"])
