"""Checks before a resume: the spec, the data and the machine must be those of the run."""

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
from nnspec.training.backends.machine import differences
from nnspec.training.loop.progress import Progress
from nnspec.training.plan import TrainingPlan
from nnspec.training.run.checkpoints import Checkpoint
from nnspec.training.run.create import as_json, versions_of
from nnspec.training.run.folder import Run

_MOST_LISTED = 8


def check_same_spec(run: Run, file: str | Path | None, overrides: Sequence[str], *, allow_different: bool) -> Spec:
    """Compares the run's spec, with overrides, with the one the run was started with and with its file; returns it."""
    where = run.info["spec"]
    before = where["document"]
    own = _load_own(run, overrides)
    if changes := list(_changes(before, own.document.plain())):
        what = f"{run.path / 'spec.yaml'} was changed" if not overrides else "the spec would change"
        raise NnspecError(_refusal(f"{what} since the start of the run", changes))
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
        further = "; `--allow-different` resumes with the run's own spec" if file is None else ""
        raise NnspecError(_refusal(f"{original} was changed since the start of the run", changes, further))
    return given if file is not None else own


def _load_own(run: Run, overrides: Sequence[str]) -> Spec:
    where = run.info["spec"]
    file = run.path / "spec.yaml"
    if not file.is_file():
        raise NnspecError(f"{run.path} is damaged: it has no spec.yaml")
    return load(file, overrides, folder=run.place(where.get("folder")), root=run.place(where.get("root")))


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """The changes that are not allowed."""
    phases = (before.get("train") or {}).get("phases") or ()
    allowed = re.compile(rf"train\.phases\[{len(phases) - 1}\]\.epochs" if phases else r"train\.epochs")
    for path, what in changed_values(before, as_json(after)):
        if not allowed.fullmatch(path):
            yield f"{path}: {what}"


def check_same_graph(run: Run, graph: Graph) -> None:
    """Compares the network with that of the run, since files under `use` are not in the document.

    Raises:
        NnspecError: If layers differ.
    """
    then, now = run.info["spec"]["nodes"], node_digests(graph)
    changes = [f"{name}: {what}" for name, what in changed_values(then, now)]
    if changes:
        names = [change.partition(":")[0] for change in changes]
        listed = ", ".join(f"`{name}`" for name in names[:_MOST_LISTED])
        raise NnspecError(
            f"a file under `use` changed since the start of the run; changed layers: {listed}\n"
            "  = help: undo the change, or start a new run"
        )


def check_same_data(run: Run, prepared: Prepared) -> None:
    """Compares the data with the fingerprints of the run.

    Raises:
        NnspecError: If files changed.
    """
    then = run.info["data"]
    for part, now in prepared.fingerprints.items():
        if now.whole == then["fingerprints"].get(part):
            continue
        had = then.get("files", {}).get(part, {})
        changed = [name for name, digest in now.files.items() if had.get(name) != digest]
        what = ", ".join(changed) or "its values"
        raise NnspecError(
            f"the data changed since the start of the run: data.{part}: {what}\n"
            "  = help: restore the training data, or start a new run"
        )


def check_same_machine(
    run: Run, plan: TrainingPlan, now: Mapping[str, Any], progress: Progress, *, allow_different: bool
) -> dict[str, list[str]]:
    """Compares the machine with that of the run; returns the entries of ``run.json`` for allowed differences."""
    here = {"versions": versions_of(plan, now), "machine": now}
    found = list(differences(run.conditions, here))
    earlier = list(run.info.get("not_bit_for_bit", []))
    then, shares = run.info["machine"].get("shares", 1), now.get("shares", 1)
    if then != shares:
        earlier.append(f"devices that share each batch: {then} then, {shares} now")
        progress.print(f"{earlier[-1]}: the result is the same within rounding")
    if not found:
        return {"not_bit_for_bit": earlier} if then != shares else {}
    listed = "\n".join(f"  {line}" for line in found)
    if not allow_different:
        raise NnspecError(
            "the weights would not be bit-identical to those of an uninterrupted run:\n"
            f"{listed}\n  = help: resume in the original environment, or use `--allow-different`: the result is then "
            "equivalent, but not bit-identical"
        )
    progress.print(f"the result will not be bit-identical to that of an uninterrupted run:\n{listed}")
    return {"not_bit_for_bit": [*earlier, *found]}


def check_checkpoint(run: Run, checkpoint: Checkpoint) -> None:
    """Checks that a checkpoint belongs to the run.

    Raises:
        NnspecError: If it belongs to another.
    """
    if checkpoint.conditions.get("data") != run.conditions["data"]:
        raise NnspecError(f"{run.path / 'checkpoints' / checkpoint.file_name} is a checkpoint of another run")


def _refusal(what: str, changes: Sequence[str], further: str = "") -> str:
    listed = [f"  {change}" for change in changes[:_MOST_LISTED]]
    if len(changes) > _MOST_LISTED:
        listed.append(f"  … and {len(changes) - _MOST_LISTED} more")
    help = "undo the change, or start a new run; only the number of epochs may change (`--set train.epochs=…`)"
    return "\n".join([f"{what}:", *listed, f"  = help: {help}{further}"])
