"""Trains a spec again and again, each time with other values, and finds those that train best.

Optuna chooses the values (Akiba et al. 2019) by a tree-structured Parzen estimator (Bergstra et al. 2011), and trainings that
fall behind the median of those before are broken off. What has been tried is written after each epoch, so that a sweep that
was stopped goes on where it was.
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
from nnspec.spec import Limits, Spec, load
from nnspec.sweeping.asking import sweep_folder, sweep_settings
from nnspec.sweeping.check import setting
from nnspec.sweeping.section import Range, SweepSection
from nnspec.sweeping.trials import RECORD, Sweep, Trial
from nnspec.training.loop.interruption import Interruption, interruptible
from nnspec.training.loop.progress import Progress, Quiet, progress_for
from nnspec.training.plan import Monitor
from nnspec.training.run.train import train

__all__ = ["sweep"]

_JOURNAL = "journal.log"
_FAILED_AT_FIRST = 3
_LEAST_FOR_SHARES = 8


def sweep(
    file: str | Path,
    overrides: Sequence[str] = (),
    *,
    out: str | Path | None = None,
    resume: bool = False,
    root: Path | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Trains a spec as often as its section ``sweep`` says, with values that the trials before speak for.

    Args:
        file: The spec.
        overrides: ``path=value`` each, for every trial.
        out: The folder; by default ``runs/NAME/sweep-TIME``.
        resume: Whether a sweep that is at ``out`` goes on.
        root: What the spec's paths may not leave.
        limits: What the document may cost.
        progress: Shows how it goes, a line for each trial; by default on standard error.

    Returns:
        What was tried. Where it was interrupted, what was tried so far.

    Raises:
        SpecError: If the spec has errors.
        NnspecError: If the folder is taken or another sweep's, or the first trials all fail.
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
        # A sweep that goes on draws on, and not the same again.
        self._study.sampler = optuna.samplers.TPESampler(seed=section.seed + len(self._study.trials))

    def run(self) -> Sweep:
        """Tries until there are as many trials as were asked for, or a signal."""
        with interruptible() as interrupted:
            return self._run(interrupted)

    def _run(self, interrupted: Interruption) -> Sweep:
        failed = 0
        for number in range(self._tried() + 1, self._section.trials + 1):
            found = None if interrupted() else self._try(number)
            if found is None:
                return self._ended(interrupted=True, status=interrupted.status)
            failed = failed + 1 if found.state == "failed" else 0
            self._print(found)
            if failed == number == _FAILED_AT_FIRST:
                raise NnspecError(f"the first {failed} trials all failed; the last one: {found.reason}")
        return self._ended()

    def _tried(self) -> int:
        """How many trials ended. One that was broken off by Ctrl-C or a kill is told to have failed, and does not count."""
        state = self._optuna.trial.TrialState
        for trial in self._study.get_trials(deepcopy=False, states=(state.RUNNING,)):
            self._study.tell(trial.number, state=state.FAIL)
        return len(self._trials())

    def _try(self, number: int) -> Trial | None:
        """One trial; None if Ctrl-C ended it."""
        import keras

        keras.backend.clear_session(free_memory=True)  # what the trial before left in memory
        state = self._optuna.trial.TrialState
        trial = self._study.ask()
        values = {path: _drawn(trial, path, range_) for path, range_ in self._section.over.items()}
        trial.set_user_attr("values", values)
        watching = _Watching(trial, self._monitor, prune=self._section.prune)
        try:
            run = train(
                self._spec_of(values),
                out=self._path / f"trial-{number:03}",
                overwrite=True,
                progress=watching,
                keep=1,
                stop=lambda: watching.behind,
            )
        except NnspecError as error:
            reason = error.diagnostics[0].message if isinstance(error, SpecError) else str(error).partition("\n")[0]
            return self._tell(trial, watching, state.FAIL, reason)
        if run.status == "interrupted" and not watching.behind:
            self._study.tell(trial, state=state.FAIL)
            return None
        if watching.best is None:
            return self._tell(trial, watching, state.FAIL, f"`{self._monitor.name}` was never a number")
        return self._tell(trial, watching, state.PRUNED if watching.behind else state.COMPLETE)

    def _tell(self, trial: Any, watching: _Watching, state: Any, reason: str = "") -> Trial:
        trial.set_user_attr("ended", True)
        trial.set_user_attr("reason", reason)
        trial.set_user_attr("epochs", watching.epochs)
        self._study.tell(trial, watching.best if state == self._optuna.trial.TrialState.COMPLETE else None, state=state)
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

    def _ended(self, *, interrupted: bool = False, status: int = 0) -> Sweep:
        """What was tried, with each range's share in it: these grow dearer with each trial, so they are made once."""
        trials = self._trials()
        found = Sweep(self._path, self._monitor, self._section.trials, trials, self._shares(trials), interrupted, status)
        self._write(found)
        return found

    def _shares(self, trials: Sequence[Trial]) -> dict[str, float]:
        values = [trial.value for trial in trials if trial.state == "finished"]
        if len(values) < _LEAST_FOR_SHARES or len(self._section.over) < 2 or len(set(values)) == 1:
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
        told = "  ".join(trial.settings)
        self._progress.print(f"trial {trial.number}/{self._section.trials}  {self._monitor.name} {value}  {told}  {how}")


class _Watching(Quiet):
    """Is told how a trial goes, and whether it fell behind."""

    def __init__(self, trial: Any, monitor: Monitor, *, prune: bool) -> None:
        self._trial, self._monitor, self._prune = trial, monitor, prune
        self.behind = False
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
        self.behind = self._prune and bool(self._trial.should_prune())


def _drawn(trial: Any, path: str, range_: Range) -> Any:
    if range_.choice is not None:
        # Optuna takes plain values alone; which of the list is one.
        return range_.choice[trial.suggest_categorical(path, list(range(len(range_.choice))))]
    assert range_.limits is not None
    low, high = range_.limits
    if range_.int is not None:
        return int(trial.suggest_int(path, low, high, log=range_.log, step=int(range_.step or 1)))
    return float(trial.suggest_float(path, low, high, log=range_.log, step=range_.step))
