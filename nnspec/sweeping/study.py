"""Hyperparameter search with Optuna.

Optuna (Akiba et al. 2019) samples values with a tree-structured Parzen estimator (Bergstra et al. 2011) and prunes trials that
are worse than the median. Its journal is written after each epoch, so that an interrupted sweep can be resumed.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nnspec.diagnostics import NnspecError, SpecError
from nnspec.extras import require
from nnspec.files import write_whole
from nnspec.printable import json_text
from nnspec.spec import Document, Limits, Spec, load
from nnspec.sweeping.check import setting
from nnspec.sweeping.section import Range, SweepSection
from nnspec.sweeping.settings import sweep_folder, sweep_settings
from nnspec.sweeping.trials import RECORD, Sweep, Trial
from nnspec.training.loop.interruption import Interruption, interruptible
from nnspec.training.loop.progress import Progress, Quiet, progress_for
from nnspec.training.plan import Monitor
from nnspec.training.run.train import train

_JOURNAL = "journal.log"
_MOST_INITIAL_FAILURES = 3
_TRIALS_FOR_IMPORTANCE = 8


def sweep(
    file: Document,
    overrides: Sequence[str] = (),
    *,
    out: str | Path | None = None,
    resume: bool = False,
    root: Path | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Runs the trials of the section ``sweep`` of a spec.

    Args:
        file: The spec: its file, or its document as a dict.
        overrides: Overrides of every trial, ``path=value`` each.
        out: The folder; by default ``runs/NAME/sweep-TIME``.
        resume: Whether to resume the sweep at ``out``.
        root: The folder that the spec's paths must not leave.
        limits: Limits on the cost of reading the document.
        progress: Reports progress, one line for each trial; by default on standard error.

    Returns:
        The trials; if the sweep was interrupted, those so far.

    Raises:
        SpecError: If the spec has errors.
        NnspecError: If the folder is not empty or belongs to another sweep, or if the first trials all fail.
    """
    require("sweep")
    spec = load(file, overrides, root=root, limits=limits)
    section, monitor = sweep_settings(spec)
    path = sweep_folder(spec, None if out is None else Path(out), section, monitor, resume=resume)

    def spec_of(values: Mapping[str, Any]) -> Spec:
        more = [setting(place, value) for place, value in values.items()]
        return load(file, [*overrides, *more, "sweep=null"], root=root, limits=limits)

    return _Study(section, monitor, path, spec_of, progress or progress_for()).run()


class _Study:
    """The trials of one sweep."""

    def __init__(
        self,
        section: SweepSection,
        monitor: Monitor,
        path: Path,
        spec_of: Callable[[Mapping[str, Any]], Spec],
        progress: Progress,
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna = optuna
        self._section, self._monitor, self._path, self._spec_of, self._progress = section, monitor, path, spec_of, progress
        from optuna.storages.journal import JournalFileBackend

        storage = optuna.storages.JournalStorage(JournalFileBackend(str(path / _JOURNAL)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self._study = optuna.create_study(
                study_name="sweep",
                storage=storage,
                direction="minimize" if monitor.mode == "min" else "maximize",
                load_if_exists=True,
                pruner=optuna.pruners.MedianPruner() if section.prune else optuna.pruners.NopPruner(),
            )
        # A resumed sweep must not sample the same values again.
        self._study.sampler = optuna.samplers.TPESampler(seed=section.seed + len(self._study.trials))

    def run(self) -> Sweep:
        """Runs trials up to the requested number, or until a signal."""
        with interruptible() as interrupted:
            return self._run(interrupted)

    def _run(self, interrupted: Interruption) -> Sweep:
        failed = 0
        for number in range(self._count_ended() + 1, self._section.trials + 1):
            found = None if interrupted() else self._run_trial(number)
            if found is None:
                return self._result(interrupted=True, status=interrupted.status)
            failed = failed + 1 if found.state == "failed" else 0
            self._print(found)
            if failed == number == _MOST_INITIAL_FAILURES:
                raise NnspecError(f"the first {failed} trials all failed; the last one: {found.reason}")
        return self._result()

    def _count_ended(self) -> int:
        """The number of ended trials. Interrupted trials are marked as failed and do not count."""
        state = self._optuna.trial.TrialState
        for trial in self._study.get_trials(deepcopy=False, states=(state.RUNNING,)):
            self._study.tell(trial.number, state=state.FAIL)
        return len(self._trials())

    def _run_trial(self, number: int) -> Trial | None:
        """Runs a trial; None if it was interrupted."""
        import keras

        keras.backend.clear_session(free_memory=True)  # frees the memory of the previous trial
        state = self._optuna.trial.TrialState
        trial = self._study.ask()
        values = {path: _suggest(trial, path, range_) for path, range_ in self._section.over.items()}
        trial.set_user_attr("values", values)
        trial_progress = _TrialProgress(trial, self._monitor, prune=self._section.prune)
        try:
            run = train(
                self._spec_of(values),
                out=self._path / f"trial-{number:03}",
                overwrite=True,
                progress=trial_progress,
                keep=1,
                stop=lambda: trial_progress.pruned,
            )
        except NnspecError as error:
            reason = error.diagnostics[0].message if isinstance(error, SpecError) else str(error).partition("\n")[0]
            return self._end_trial(trial, trial_progress, state.FAIL, reason)
        if run.status == "interrupted" and not trial_progress.pruned:
            self._study.tell(trial, state=state.FAIL)
            return None
        if trial_progress.best is None:
            return self._end_trial(trial, trial_progress, state.FAIL, f"`{self._monitor.name}` was never finite")
        return self._end_trial(trial, trial_progress, state.PRUNED if trial_progress.pruned else state.COMPLETE)

    def _end_trial(self, trial: Any, trial_progress: _TrialProgress, state: Any, reason: str = "") -> Trial:
        trial.set_user_attr("ended", True)
        trial.set_user_attr("reason", reason)
        trial.set_user_attr("epochs", trial_progress.epochs)
        self._study.tell(trial, trial_progress.best if state == self._optuna.trial.TrialState.COMPLETE else None, state=state)
        trials = self._trials()
        self._write(Sweep(self._path, self._monitor, self._section.trials, trials))
        return trials[-1]

    def _trials(self) -> list[Trial]:
        states = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}
        ended = [trial for trial in self._study.get_trials(deepcopy=False) if trial.user_attrs.get("ended")]
        return [
            Trial(
                number,
                trial.user_attrs["values"],
                states[trial.state.name],
                self._best_of(trial),
                trial.user_attrs["epochs"],
                trial.user_attrs["reason"],
            )
            for number, trial in enumerate(ended, 1)
            if trial.state.name in states
        ]

    def _best_of(self, trial: Any) -> float | None:
        values = [value for value in trial.intermediate_values.values() if math.isfinite(value)]
        return {"min": min, "max": max}[self._monitor.mode](values) if values else None

    def _result(self, *, interrupted: bool = False, status: int = 0) -> Sweep:
        """The result, with the importance of each range, which is computed once because it is slow for many trials."""
        trials = self._trials()
        found = Sweep(self._path, self._monitor, self._section.trials, trials, self._shares(trials), interrupted, status)
        self._write(found)
        return found

    def _shares(self, trials: Sequence[Trial]) -> dict[str, float]:
        values = [trial.value for trial in trials if trial.state == "finished"]
        if len(values) < _TRIALS_FOR_IMPORTANCE or len(self._section.over) < 2 or len(set(values)) == 1:
            return {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            evaluator = self._optuna.importance.FanovaImportanceEvaluator(seed=self._section.seed)
            found = self._optuna.importance.get_param_importances(self._study, evaluator=evaluator)
        return {str(name): float(share) for name, share in found.items()}

    def _write(self, found: Sweep) -> None:
        record = {
            "monitor": asdict(found.monitor),
            "wanted": found.wanted,
            "best": found.best.number if found.best is not None else None,
            "shares": dict(found.shares),
            "trials": [asdict(trial) for trial in found.trials],
        }
        write_whole(self._path / RECORD, json_text(record, indent=1) + "\n")

    def _print(self, trial: Trial) -> None:
        value = "–" if trial.value is None else f"{trial.value:.4g}"
        epochs = "1 epoch" if trial.epochs == 1 else f"{trial.epochs} epochs"
        how = f"failed: {trial.reason}" if trial.state == "failed" else f"{trial.state} after {epochs}"
        settings = "  ".join(trial.settings)
        self._progress.print(f"trial {trial.number}/{self._section.trials}  {self._monitor.name} {value}  {settings}  {how}")


class _TrialProgress(Quiet):
    """Reports the metric of each epoch of a trial to Optuna, and whether to prune it."""

    def __init__(self, trial: Any, monitor: Monitor, *, prune: bool) -> None:
        self._trial, self._monitor, self._prune = trial, monitor, prune
        self.pruned = False
        self.best: float | None = None
        self.epochs = 0

    def epoch_ended(self, record: dict[str, Any]) -> None:
        value = float(record[self._monitor.name])
        self.epochs = int(record["epoch"])
        if not math.isfinite(value):
            return
        if self._monitor.better(value, self.best):
            self.best = value
        self._trial.report(value, self.epochs)
        self.pruned = self._prune and bool(self._trial.should_prune())


def _suggest(trial: Any, path: str, range_: Range) -> Any:
    if range_.choice is not None:
        # Optuna only takes scalars, such as the index of a choice.
        return range_.choice[trial.suggest_categorical(path, list(range(len(range_.choice))))]
    assert range_.limits is not None
    low, high = range_.limits
    if range_.int is not None:
        return int(trial.suggest_int(path, low, high, log=range_.log, step=int(range_.step or 1)))
    return float(trial.suggest_float(path, low, high, log=range_.log, step=range_.step))
