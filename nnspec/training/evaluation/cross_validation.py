"""Cross-validation: a run for each fold, and statistics of the metrics over the folds."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nnspec.data.frames import with_data
from nnspec.data.prepare import max_folds
from nnspec.diagnostics import Diagnostic, NnspecError, SpecError
from nnspec.files import is_free, write_whole
from nnspec.graph import compile
from nnspec.spec import Document, Limits, Spec, load
from nnspec.training.check import check_training
from nnspec.training.evaluation.evaluate import evaluate
from nnspec.training.loop.interruption import interruptible
from nnspec.training.loop.progress import Progress
from nnspec.training.plan import TrainingPlan
from nnspec.training.run.train import train


@dataclass(frozen=True)
class Spread:
    """The statistics of a metric over the folds.

    Attributes:
        mean: Its mean.
        deviation: Its sample standard deviation (n − 1); None for a single fold.
        values: Its value for each fold.
    """

    mean: float
    deviation: float | None
    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Computes the statistics of values.

        Example:
            >>> Spread.of([1.0, 3.0]).deviation
            1.4142135623730951
        """
        deviation = statistics.stdev(values) if len(values) > 1 else None
        return cls(statistics.fmean(values), deviation, tuple(values))


@dataclass(frozen=True)
class CrossValidation:
    """The result of a cross-validation.

    Attributes:
        path: The folder with a run folder for each fold, ``fold-1``, ``fold-2`` …
        folds: The number of folds.
        finished: The number of trained folds, fewer if a signal interrupted the cross-validation.
        metrics: The metrics on the held-out folds, by their names in the log without ``val_``.
        chosen_by: How the epoch of the scored weights was selected; never by the held-out fold.
        status: The exit status of a process that a signal ended; 0 if none did.
    """

    path: Path
    folds: int
    finished: int
    metrics: Mapping[str, Spread]
    chosen_by: str
    status: int = 0


def crossval(
    file: Document,
    overrides: Sequence[str] = (),
    *,
    data: Any = None,
    folds: int | None = 5,
    rolling: bool = False,
    out: str | Path | None = None,
    root: Path | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> CrossValidation:
    """Trains a spec once for each held-out fold of its training data, and scores it on that fold.

    Each training uses the rest of the data, from which it also draws its validation split; that split selects the epoch and
    stops early. The examples that score a model are therefore used for no selection (nested cross-validation). Without a
    validation split, the epoch with the lowest training loss is kept.

    With ``data.time``, and for series, the folds are consecutive in time, and each is trained on the data before it
    (walk-forward validation).

    Args:
        file: The spec: its file, or its document as a dict. Its ``data.test`` is replaced; ``data.group`` and ``data.time``
            define the folds.
        data: The training data, as for [`train`][nnspec.training.run.train.train].
        overrides: Overrides, ``path=value`` each.
        folds: The number of folds; None holds out one example, or one group, at a time.
        rolling: For folds in time, whether each is trained on as many rows as the first, instead of on all rows before it.
        out: The folder; by default ``runs/NAME/crossval-TIME``.
        root: The folder that the spec's paths must not leave.
        limits: Limits on the cost of reading the document.
        progress: Reports progress; by default on standard error.

    Raises:
        SpecError: If the spec or its data have errors.
        NnspecError: If the folder is not empty, a training fails, or the objective has no targets to score.
    """

    def spec_of(number: int, of: int) -> Spec:
        fold = f"data.test={{fold: {{number: {number}, of: {of}, rolling: {str(rolling).lower()}}}}}"
        return with_data(load(file, [*overrides, fold], root=root, limits=limits), data)

    if folds is not None and folds < 2:
        raise NnspecError(f"there must be at least 2 folds, not {folds}")
    # The check of the document does not depend on the number of folds.
    plan = _plan(spec_of(1, folds or 2))
    of = folds if folds is not None else _most_folds(plan)
    chosen_by = _chosen_by(plan)
    path = _folder(spec_of(1, of), None if out is None else Path(out))
    records: list[dict[str, Any]] = []
    with interruptible() as interrupted:
        for number in range(1, of + 1):
            if interrupted():
                break
            import keras

            keras.backend.clear_session(free_memory=True)  # frees the memory of the previous fold
            run = train(spec_of(number, of), out=path / f"fold-{number}", progress=progress)
            if run.status == "interrupted":
                break
            scored = evaluate(run, part="test", compare=False)
            records.append({name: value for name, value in scored.items() if name not in _NOT_METRICS})
            _write(CrossValidation(path, of, len(records), _metrics(records), chosen_by))
    status = interrupted.status if len(records) < of else 0
    return CrossValidation(path, of, len(records), _metrics(records), chosen_by, status)


def crossval_text(found: CrossValidation) -> str:
    """Formats the metrics as text."""
    folds = f"{found.folds} folds" if found.finished == found.folds else f"{found.finished} of {found.folds} folds"
    lines = [
        f"{folds}, mean ± standard deviation over them",
        f"  no fold selects the weights it is scored with: {found.chosen_by}",
    ]
    width = max(map(len, found.metrics), default=0)
    for name, spread in found.metrics.items():
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
    """How the epoch whose weights are kept is selected."""
    data, monitor = plan.data, plan.monitor.name
    assert data is not None
    if not data.validates:
        return f"no validation split is given, so the epoch with the best `{monitor}` in training is kept"
    if isinstance(data.section.validation, float):
        return f"`{monitor}` on {data.section.validation:g} of the remaining data selects the epoch"
    inner = "another fold" if data.fold is not None else "the validation data"
    return f"`{monitor}` on {inner} selects the epoch"


def _folder(spec: Spec, out: Path | None) -> Path:
    if out is None:
        out = Path("runs") / spec.name / f"crossval-{datetime.now().strftime('%Y%m%d-%H%M%S')}"
    if not is_free(out):
        raise NnspecError(f"{out} exists and is not empty\n  = help: name an empty or a new folder")
    return out


_NOT_METRICS = ("data", "rows", "outputs", "transformed_targets")


def _metrics(records: Sequence[Mapping[str, Any]]) -> dict[str, Spread]:
    """The statistics of the scalar metrics."""
    if not records:
        return {}
    names = [name for name, value in records[0].items() if isinstance(value, float | int) and math.isfinite(value)]
    return {name: Spread.of([float(record[name]) for record in records]) for name in names}


def _write(found: CrossValidation) -> None:
    record = {
        "folds": found.folds,
        "finished": found.finished,
        "chosen_by": found.chosen_by,
        "figures": {name: asdict(spread) for name, spread in found.metrics.items()},
    }
    write_whole(found.path / "crossval.json", json.dumps(record, indent=1) + "\n")
