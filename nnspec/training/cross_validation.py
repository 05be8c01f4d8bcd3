"""Cross-validation: a run for each fold, and what the folds come to."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nnspec.data.prepare import most_folds
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError
from nnspec.files import is_free, write_whole
from nnspec.graph import compile
from nnspec.spec import Limits, Spec, load
from nnspec.training.check import check_training
from nnspec.training.interruption import interruptible
from nnspec.training.progress import Progress
from nnspec.training.run import Run
from nnspec.training.start import train

__all__ = ["CrossValidation", "Spread", "crossval", "crossval_text"]

_VALIDATION = "val_"


@dataclass(frozen=True)
class Spread:
    """A figure over the folds.

    Attributes:
        mean: Its mean.
        deviation: The standard deviation of the folds, with n − 1; None for a single one.
        values: The figure of each fold.
    """

    mean: float
    deviation: float | None
    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of some values.

        Example:
            >>> Spread.of([1.0, 3.0]).deviation
            1.4142135623730951
        """
        deviation = statistics.stdev(values) if len(values) > 1 else None
        return cls(statistics.fmean(values), deviation, tuple(values))


@dataclass(frozen=True)
class CrossValidation:
    """What the folds came to.

    Attributes:
        path: The folder with a run folder for each fold, ``fold-1``, ``fold-2`` …
        folds: How many folds there are.
        finished: How many of them were trained: fewer where Ctrl-C or another signal ended it.
        figures: Each figure of the examples that are left out, by the name it is logged under, without ``val_``.
        status: The exit status of a process that the signal ended; 0 where none did.
    """

    path: Path
    folds: int
    finished: int
    figures: Mapping[str, Spread]
    status: int = 0


def crossval(
    file: str | Path,
    overrides: Sequence[str] = (),
    *,
    folds: int | None = 5,
    out: str | Path | None = None,
    root: Path | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> CrossValidation:
    """Trains a spec once for each fold of its training data, which is then left out and watched.

    The figures of a fold are those of the weights that are kept: of the epoch that was best on it. Where that choice must
    not be made on the examples that judge, train a number of epochs that does not depend on them and watch ``loss``.

    Args:
        file: The spec. What it says under ``data.validation`` is replaced; ``data.group`` and ``data.time`` are heeded.
        overrides: ``path=value`` each.
        folds: How many folds; None leaves out one example, or one group, at a time.
        out: The folder; by default ``runs/NAME/crossval-TIME``.
        root: What the spec's paths may not leave.
        limits: What the document may cost.
        progress: Shows how it goes; by default on standard error.

    Raises:
        SpecError: Where the spec or its data have errors.
        NnspecError: Where the folder is taken, or a training fails.
    """

    def spec_of(number: int, of: int) -> Spec:
        fold = f"data.validation={{fold: {{number: {number}, of: {of}}}}}"
        return load(file, [*overrides, fold], root=root, limits=limits)

    if folds is not None and folds < 2:
        raise NnspecError(f"there must be at least 2 folds, not {folds}")
    # With 2 folds the document is as good or bad as with any other number of them.
    of = folds if folds is not None else _most_folds(spec_of(1, 2))
    path = _place(spec_of(1, of), None if out is None else Path(out))
    records: list[dict[str, Any]] = []
    with interruptible() as interrupted:
        for number in range(1, of + 1):
            if interrupted():
                break
            import keras

            keras.backend.clear_session(free_memory=True)  # what the fold before left in memory
            run = train(spec_of(number, of), out=path / f"fold-{number}", progress=progress)
            if run.status == "interrupted":
                break
            records.append(_figures_of(run))
            _write(CrossValidation(path, of, len(records), _figures(records)))
    return CrossValidation(path, of, len(records), _figures(records), interrupted.status if len(records) < of else 0)


def crossval_text(found: CrossValidation) -> str:
    """The figures as a person reads them."""
    folds = f"{found.folds} folds" if found.finished == found.folds else f"{found.finished} of {found.folds} folds"
    lines = [f"{folds}, mean ± standard deviation over them"]
    width = max(map(len, found.figures), default=0)
    for name, spread in found.figures.items():
        deviation = "" if spread.deviation is None else f" ± {spread.deviation:.4f}"
        shown = ", ".join(f"{value:.4f}" for value in spread.values[:10]) + (", …" if len(spread.values) > 10 else "")
        lines.append(f"  {name:<{width}}  {spread.mean:.4f}{deviation}  ({shown})")
    return "\n".join(lines)


def _most_folds(spec: Spec) -> int:
    problems: list[Diagnostic] = []
    plan = check_training(spec, compile(spec), problems, require_data=True)
    if plan is None or plan.data is None:
        raise SpecError(problems)
    if plan.data.section.time is not None:
        raise NnspecError("leaving out one example at a time and `data.time` do not go together: give a number of folds")
    return most_folds(plan.data)


def _place(spec: Spec, out: Path | None) -> Path:
    if out is None:
        out = Path("runs") / spec.name / f"crossval-{datetime.now().strftime('%Y%m%d-%H%M%S')}"
    if not is_free(out):
        raise NnspecError(f"there is something at {out}\n  = help: name a folder that is empty, or not there yet")
    return out


def _figures_of(run: Run) -> dict[str, Any]:
    """The figures of a fold's best epoch on the examples that are left out."""
    best = run.info["best"]
    if best is None:
        raise NnspecError(f"the figure that is watched was never a number in {run.path}: no epoch of it is the best")
    return {name: value for name, value in best["figures"].items() if name.startswith(_VALIDATION)}


def _figures(records: Sequence[Mapping[str, Any]]) -> dict[str, Spread]:
    """The figures that are numbers; a list of numbers, as of classes, has no mean of its own."""
    if not records:
        return {}
    names = [name for name, value in records[0].items() if isinstance(value, float | int) and math.isfinite(value)]
    return {name.removeprefix(_VALIDATION): Spread.of([float(record[name]) for record in records]) for name in names}


def _write(found: CrossValidation) -> None:
    record = {"folds": found.folds, "finished": found.finished, "figures": {n: asdict(s) for n, s in found.figures.items()}}
    write_whole(found.path / "crossval.json", json.dumps(record, indent=1) + "\n")
