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

from nnspec.data.prepare import max_folds
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError
from nnspec.files import is_free, write_whole
from nnspec.graph import compile
from nnspec.spec import Limits, Spec, load
from nnspec.training.checks.training import check_training
from nnspec.training.evaluation.evaluate import evaluate
from nnspec.training.loop.interruption import interruptible
from nnspec.training.loop.progress import Progress
from nnspec.training.plan import TrainingPlan
from nnspec.training.run.train import train

__all__ = ["CrossValidation", "Spread", "crossval", "crossval_text"]


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
        chosen_by: What chose the epoch whose weights are scored, in words. The fold that is left out never does.
        status: The exit status of a process that the signal ended; 0 where none did.
    """

    path: Path
    folds: int
    finished: int
    figures: Mapping[str, Spread]
    chosen_by: str
    status: int = 0


def crossval(
    file: str | Path,
    overrides: Sequence[str] = (),
    *,
    folds: int | None = 5,
    rolling: bool = False,
    out: str | Path | None = None,
    root: Path | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> CrossValidation:
    """Trains a spec once for each fold of its training data, which is left out, and scores it on that fold.

    Each training is what the spec says, on the rest of the data: its own validation part is drawn from the rest, chooses the
    epoch, and stops early. So the examples that score a model have chosen nothing of it (nested cross-validation). A spec
    without a validation part keeps the epoch with the least loss on what is trained on.

    By ``data.time``, and in a series, the folds follow each other, and each is trained on what is before it (walk-forward
    validation).

    Args:
        file: The spec. What it says under ``data.test`` is replaced; ``data.group`` and ``data.time`` are heeded.
        overrides: ``path=value`` each.
        folds: How many folds; None leaves out one example, or one group, at a time.
        rolling: Of folds in time: whether each is trained on as many rows as the first, rather than on all before it.
        out: The folder; by default ``runs/NAME/crossval-TIME``.
        root: What the spec's paths may not leave.
        limits: What the document may cost.
        progress: Shows how it goes; by default on standard error.

    Raises:
        SpecError: Where the spec or its data have errors.
        NnspecError: Where the folder is taken, a training fails, or the spec trains two networks against each other, which no
            examples score.
    """

    def spec_of(number: int, of: int) -> Spec:
        fold = f"data.test={{fold: {{number: {number}, of: {of}, rolling: {str(rolling).lower()}}}}}"
        return load(file, [*overrides, fold], root=root, limits=limits)

    if folds is not None and folds < 2:
        raise NnspecError(f"there must be at least 2 folds, not {folds}")
    # With 2 folds the document is as good or bad as with any other number of them.
    plan = _plan(spec_of(1, folds or 2))
    of = folds if folds is not None else _most_folds(plan)
    chosen_by = _chosen_by(plan)
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
            scored = evaluate(run, part="test")
            records.append({name: value for name, value in scored.items() if name not in _NO_FIGURES})
            _write(CrossValidation(path, of, len(records), _figures(records), chosen_by))
    status = interrupted.status if len(records) < of else 0
    return CrossValidation(path, of, len(records), _figures(records), chosen_by, status)


def crossval_text(found: CrossValidation) -> str:
    """The figures as a person reads them."""
    folds = f"{found.folds} folds" if found.finished == found.folds else f"{found.finished} of {found.folds} folds"
    lines = [
        f"{folds}, mean ± standard deviation over them",
        f"  each fold is scored by weights it did not choose: {found.chosen_by}",
    ]
    width = max(map(len, found.figures), default=0)
    for name, spread in found.figures.items():
        deviation = "" if spread.deviation is None else f" ± {spread.deviation:.4f}"
        shown = ", ".join(f"{value:.4f}" for value in spread.values[:10]) + (", …" if len(spread.values) > 10 else "")
        lines.append(f"  {name:<{width}}  {spread.mean:.4f}{deviation}  ({shown})")
    return "\n".join(lines)


def _plan(spec: Spec) -> TrainingPlan:
    problems: list[Diagnostic] = []
    plan = check_training(spec, compile(spec), problems, require_data=True)
    if plan is None or plan.data is None:
        raise SpecError(problems)
    if not plan.objective.predicts:
        name = type(plan.objective).__name__
        raise NnspecError(f"the objective `{name}` has no targets to score predictions by: there is nothing to cross-validate")
    return plan


def _most_folds(plan: TrainingPlan) -> int:
    assert plan.data is not None
    return max_folds(plan.data)


def _chosen_by(plan: TrainingPlan) -> str:
    """What chooses the epoch whose weights are kept."""
    data, monitor = plan.data, plan.monitor.name
    assert data is not None
    if not data.validates:
        return f"no validation part is named, so the epoch with the best `{monitor}` in training is kept"
    if isinstance(data.section.validation, float):
        return f"`{monitor}` on {data.section.validation:g} of the rest chooses the epoch"
    inner = "another fold of the rest" if data.fold is not None else "the validation data"
    return f"`{monitor}` on {inner} chooses the epoch"


def _place(spec: Spec, out: Path | None) -> Path:
    if out is None:
        out = Path("runs") / spec.name / f"crossval-{datetime.now().strftime('%Y%m%d-%H%M%S')}"
    if not is_free(out):
        raise NnspecError(f"there is something at {out}\n  = help: name a folder that is empty, or not there yet")
    return out


_NO_FIGURES = ("data", "rows", "outputs", "transformed_targets")


def _figures(records: Sequence[Mapping[str, Any]]) -> dict[str, Spread]:
    """The figures that are numbers; a list of numbers, as of classes, has no mean of its own."""
    if not records:
        return {}
    names = [name for name, value in records[0].items() if isinstance(value, float | int) and math.isfinite(value)]
    return {name: Spread.of([float(record[name]) for record in records]) for name in names}


def _write(found: CrossValidation) -> None:
    record = {
        "folds": found.folds,
        "finished": found.finished,
        "chosen_by": found.chosen_by,
        "figures": {name: asdict(spread) for name, spread in found.figures.items()},
    }
    write_whole(found.path / "crossval.json", json.dumps(record, indent=1) + "\n")
