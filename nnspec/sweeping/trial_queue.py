"""The trials of a sweep in a storage, of which each worker takes one at a time.

Each training of a trial is one trial of Optuna, an attempt, with the number of the trial and of the attempt. Workers may create
the same attempt at the same moment; the one with the lowest number in the study counts, and all workers see the same one. A
state that ends a trial is never left again. So each trial counts once, whatever is killed at whatever moment.
"""

from __future__ import annotations

import math
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any, TypeVar

from nnspec.diagnostics import NnspecError
from nnspec.printable import on_one_line
from nnspec.sweeping import owner
from nnspec.sweeping.section import Range
from nnspec.sweeping.settings import Search
from nnspec.sweeping.storage import Storage, close, patiently
from nnspec.sweeping.trials import Trial

T = TypeVar("T")

BEAT_SECONDS = 20.0
"""How often a worker reports that it runs."""

SILENT_SECONDS = 120.0
"""After how long without a report a worker of another machine is taken to be gone, by the clock of the one that looks."""

MOST_KILLS = 5
"""How often a trial may have its worker killed, as by a lack of memory, before it counts as failed."""

_STATES = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}
_RECORD = "nnspec"
_TRIALS_FOR_IMPORTANCE = 8


@dataclass
class Claim:
    """A trial that this worker runs.

    Attributes:
        number: The number of the trial, from 1.
        values: The values by path.
        folder: The run folder of a previous attempt, if there is one.
        taken: Whether others took this worker for gone, and run the trial themselves; its result does not count then.
    """

    number: int
    trial: Any
    values: Mapping[str, Any]
    folder: str | None
    taken: bool = False


class TrialQueue:
    """The trials of a sweep.

    Args:
        storage: The storage.
        study: The name of the study in it.
        search: What is searched.

    Raises:
        NnspecError: If the storage cannot be used, or the study is of another spec or other ranges.
    """

    def __init__(self, storage: Storage, study: str, search: Search) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.CRITICAL)
        self._optuna = optuna
        self._states = optuna.trial.TrialState
        self.storage, self.study_name, self.search = storage, study, search
        self._seen: dict[int, tuple[Any, float]] = {}
        self._owner = owner.new_owner()
        self._store = storage.open()
        try:
            self._study: Any = self._patiently(self._open_study)
            self._check_same()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End this worker's use of the storage."""
        owner.ended(self._owner)
        close(self._store)

    def _patiently(self, action: Callable[[], T]) -> T:
        return patiently(self.storage, action)

    def _open_study(self) -> Any:
        section, monitor = self.search.section, self.search.monitor
        pruner = self._optuna.pruners.MedianPruner() if section.prune else self._optuna.pruners.NopPruner()
        same = {"study_name": self.study_name, "storage": self._store, "pruner": pruner}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                study = self._optuna.load_study(**same)
            except KeyError:
                directions = self._optuna.study.StudyDirection
                direction = directions.MINIMIZE if monitor.mode == "min" else directions.MAXIMIZE
                study = self._optuna.create_study(**same, direction=direction, load_if_exists=True)
        if not self._all(study) and _RECORD not in study.user_attrs:
            study.set_user_attr(_RECORD, self.search.record)
        return study

    def _all(self, study: Any = None) -> list[Any]:
        return list((study or self._study).get_trials(deepcopy=False))

    def _check_same(self) -> None:
        """Check that the study is this search: its first trial states which it is."""
        while not (found := self._patiently(self._all)):
            self._create(1, 0)
        attributes = found[0].user_attrs
        if attributes.get("sweep") == self.search.hash:
            self.id = str(attributes["id"])
            return
        where = f"the study `{on_one_line(self.study_name)}` in {self.storage.shown}"
        other = "  = help: use another `--storage`, or another name with `--study`"
        record = self._patiently(lambda: self._study.user_attrs.get(_RECORD))
        lines = self.search.differences(record) if "sweep" in attributes and isinstance(record, dict) else []
        if not lines:
            raise NnspecError(f"{where} is not of this spec and these ranges\n{other}")
        changes = "\n".join(f"  {line}" for line in lines)
        raise NnspecError(f"{where} is of another spec or other ranges:\n{changes}\n{other}, or undo the change")

    # --- attempts ---------------------------------------------------------------------------------------------------------

    def _attempts(self) -> dict[int, list[Any]]:
        """The attempts of each trial in order."""
        found: dict[int, dict[int, Any]] = {}
        for trial in self._patiently(self._all):
            attributes = trial.user_attrs
            if attributes.get("sweep") == self.search.hash:
                found.setdefault(attributes["trial"], {}).setdefault(attributes["attempt"], trial)
        return {number: [each[at] for at in sorted(each)] for number, each in sorted(found.items())}

    def _create(self, number: int, attempt: int, before: Any = None) -> None:
        """Add an attempt, with the values and the folder of the one before."""
        attributes = {"sweep": self.search.hash, "trial": number, "attempt": attempt}
        if (number, attempt) == (1, 0):
            attributes["id"] = uuid.uuid4().hex
        if before is not None and before.user_attrs.get("folder"):
            attributes["folder"] = before.user_attrs["folder"]
        params = {} if before is None else before.params
        self._patiently(lambda: self._study.enqueue_trial(params, user_attrs=attributes))

    def _create_failed(self, number: int, attempts: list[Any]) -> None:
        """Record that a trial failed because it ends each worker that runs it."""
        attributes = {key: value for key, value in attempts[-1].user_attrs.items() if key not in ("owner", "beat")}
        host = attempts[-1].user_attrs.get("owner", {}).get("host", "another machine")
        attributes |= {
            "attempt": len(attempts),
            "reason": f"its worker was killed {MOST_KILLS} times, last on {host}; does memory suffice?",
        }
        failed = self._optuna.trial.create_trial(state=self._states.FAIL, user_attrs=attributes)
        self._patiently(lambda: self._study.add_trial(failed))

    def _is_open(self, trial: Any) -> bool:
        """Whether an attempt has ended without a result."""
        return bool(trial.state == self._states.FAIL and not trial.user_attrs.get("reason"))

    def _retry_lost(self) -> None:
        """Add an attempt to each trial whose last one was interrupted, or whose worker was killed."""
        for number, attempts in self._attempts().items():
            last = attempts[-1]
            if last.state == self._states.RUNNING and self._is_lost(last):
                with suppress(self._optuna.exceptions.UpdateFinishedTrialError):
                    self._set_state(last, self._states.FAIL)
            elif self._is_open(last):
                kills = sum(not each.user_attrs.get("interrupted") for each in attempts if self._is_open(each))
                if kills >= MOST_KILLS:
                    self._create_failed(number, attempts)
                else:
                    self._create(number, len(attempts), last)

    def _is_lost(self, trial: Any) -> bool:
        """Whether the worker of a running attempt is gone."""
        runs = owner.runs(trial.user_attrs["owner"]) if "owner" in trial.user_attrs else None
        if runs is not None:
            return not runs
        reports = (trial.user_attrs.get("beat"), len(trial.intermediate_values), len(trial.user_attrs))
        now = time.monotonic()
        if (seen := self._seen.get(trial._trial_id)) is None or seen[0] != reports:
            self._seen[trial._trial_id] = (reports, now)
            return False
        return now - seen[1] > SILENT_SECONDS

    def _set_state(self, trial: Any, state: Any, values: list[float] | None = None) -> bool:
        return bool(self._patiently(lambda: self._store.set_trial_state_values(trial._trial_id, state, values)))

    # --- running trials ---------------------------------------------------------------------------------------------------

    def claim(self) -> Claim | None:
        """Take the next trial that waits; None if all that are wanted are run by others, or have ended."""
        self._retry_lost()
        self._retry_lost()  # of those found to be lost
        while True:
            attempts = self._attempts()
            wanted = range(1, self.search.section.trials + 1)
            waiting = [attempts[k][-1] for k in wanted if k in attempts and attempts[k][-1].state == self._states.WAITING]
            for trial in waiting:
                with suppress(self._optuna.exceptions.UpdateFinishedTrialError):
                    if self._set_state(trial, self._states.RUNNING):
                        return self._patiently(partial(self._begin, trial))
            new = next((k for k in wanted if k not in attempts), None)
            if new is not None:
                self._create(new, 0)
            elif not waiting:
                return None

    def _begin(self, trial: Any) -> Claim:
        """Sample the values of a trial that this worker has taken."""
        number = int(trial.user_attrs["trial"])
        self._store.set_trial_user_attr(trial._trial_id, "owner", self._owner)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # The values depend on the number of the trial, not on which worker runs it. Workers that sample at the same time
            # take each other's trials to be poor (`constant_liar`), so that they do not try nearly the same values.
            self._study.sampler = self._optuna.samplers.TPESampler(
                seed=_seed(self.search.section.seed, number), constant_liar=True
            )
            running = self._optuna.trial.Trial(self._study, trial._trial_id)
            values = {path: _suggest(running, path, range_) for path, range_ in self.search.section.over.items()}
        self._store.set_trial_user_attr(trial._trial_id, "values", values)
        return Claim(number, running, values, trial.user_attrs.get("folder"))

    def heartbeat(self, claim: Claim) -> Heartbeat:
        """Report regularly that a trial runs, as a context manager."""
        return Heartbeat(self, claim)

    def note(self, claim: Claim, **attributes: Any) -> None:
        """Record facts of a trial that runs."""
        for name, value in attributes.items():
            self._of(claim, partial(self._store.set_trial_user_attr, claim.trial._trial_id, name, value))

    def report(self, claim: Claim, epoch: int, value: float) -> None:
        """Record the metric after an epoch."""
        self._of(claim, lambda: self._store.set_trial_intermediate_value(claim.trial._trial_id, epoch, value))

    def should_prune(self, claim: Claim) -> bool:
        """Whether a trial is worse than the median of previous ones at the same epoch."""
        prune = self._study.pruner.prune
        return bool(self._of(claim, lambda: prune(self._study, self._store.get_trial(claim.trial._trial_id))))

    def _of(self, claim: Claim, action: Callable[[], Any]) -> Any:
        """Change a trial of this worker, unless others have taken it."""
        if claim.taken:
            return None
        try:
            return self._patiently(action)
        except self._optuna.exceptions.UpdateFinishedTrialError:
            claim.taken = True
            return None

    def release(self, claim: Claim) -> None:
        """Leave an interrupted trial to others."""
        self.note(claim, interrupted=True)
        self._of(claim, lambda: self._set_state(claim.trial, self._states.FAIL))

    def end(self, claim: Claim, state: str, value: float | None = None, reason: str = "") -> None:
        """Record the result of a trial.

        Args:
            claim: The trial.
            state: ``finished``, ``pruned`` or ``failed``.
            value: The best value of the metric.
            reason: Why it failed.
        """
        if state == "failed":
            self.note(claim, reason=reason or "for an unknown reason")
            self._of(claim, lambda: self._set_state(claim.trial, self._states.FAIL))
        else:
            ends = self._states.COMPLETE if state == "finished" else self._states.PRUNED
            self._of(claim, lambda: self._set_state(claim.trial, ends, None if value is None else [value]))

    # --- results ----------------------------------------------------------------------------------------------------------

    def trials(self) -> list[Trial]:
        """The trials that have ended, in order."""
        return [
            self._trial(number, attempts)
            for number, attempts in self._attempts().items()
            if attempts[-1].state.name in _STATES and not self._is_open(attempts[-1])
        ]

    def running(self) -> dict[int, Mapping[str, Any]]:
        """The trials that run, as far as this machine can know, each with the record of its worker."""
        owners = {
            number: attempts[-1].user_attrs.get("owner", {})
            for number, attempts in self._attempts().items()
            if attempts[-1].state == self._states.RUNNING
        }
        return {number: each for number, each in owners.items() if not each or owner.runs(each) is not False}

    def data(self) -> dict[str, Mapping[str, str]]:
        """The digests of the data files of the first trial that each machine has run."""
        found: dict[str, Mapping[str, str]] = {}
        for attempts in self._attempts().values():
            attributes = attempts[-1].user_attrs
            if "data" in attributes and attempts[-1].state.name in _STATES and not self._is_open(attempts[-1]):
                found.setdefault(attributes["owner"]["host"], attributes["data"])
        return found

    def workers(self) -> set[int]:
        """The process IDs of those that have run a trial on this machine."""
        owners = [each.user_attrs.get("owner") for attempts in self._attempts().values() for each in attempts]
        return {int(each["pid"]) for each in owners if each and each["place"] == owner.place()}

    def _trial(self, number: int, attempts: list[Any]) -> Trial:
        last = attempts[-1]
        attributes = last.user_attrs
        metrics = {epoch: value for epoch, value in sorted(last.intermediate_values.items()) if math.isfinite(value)}
        return Trial(
            number,
            attributes.get("values", {}),
            _STATES[last.state.name],
            {"min": min, "max": max}[self.search.monitor.mode](metrics.values()) if metrics else None,
            attributes.get("epochs", len(metrics)),
            attributes.get("reason", ""),
            attributes.get("folder", ""),
            attributes.get("owner", {}).get("host", ""),
            len(attempts),
            metrics,
        )

    def shares(self) -> dict[str, float]:
        """The importance of each path: its share of the variance of the metric."""
        values = [trial.value for trial in self.trials() if trial.state == "finished"]
        if len(values) < _TRIALS_FOR_IMPORTANCE or len(self.search.section.over) < 2 or len(set(values)) == 1:
            return {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            evaluator = self._optuna.importance.FanovaImportanceEvaluator(seed=self.search.section.seed)
            found = self._patiently(lambda: self._optuna.importance.get_param_importances(self._study, evaluator=evaluator))
        return {str(name): float(share) for name, share in found.items()}


class Heartbeat:
    """Reports in a thread that a trial runs, and notices if others have taken it."""

    def __init__(self, queue: TrialQueue, claim: Claim) -> None:
        self._queue, self._claim = queue, claim
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join()

    def _beat(self) -> None:
        beats = 0
        while not self._end.wait(BEAT_SECONDS):
            beats += 1
            # An error of the storage is reported by the worker itself, which uses it too.
            with suppress(NnspecError):
                self._queue.note(self._claim, beat=beats)


def _seed(seed: int, number: int) -> int:
    return int.from_bytes(sha256(f"{seed} {number}".encode()).digest()[:4], "big")


def _suggest(trial: Any, path: str, range_: Range) -> Any:
    if range_.choice is not None:
        # Optuna only takes scalars, such as the index of a choice.
        return range_.choice[trial.suggest_categorical(path, list(range(len(range_.choice))))]
    assert range_.limits is not None
    low, high = range_.limits
    if range_.int is not None:
        return int(trial.suggest_int(path, low, high, log=range_.log, step=int(range_.step or 1)))
    return float(trial.suggest_float(path, low, high, log=range_.log, step=range_.step))
