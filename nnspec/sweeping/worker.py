"""Trains the trials of a sweep, one after the other."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from nnspec.diagnostics import NnspecError, SpecError
from nnspec.spec import Spec
from nnspec.sweeping.trial_queue import Claim, TrialQueue
from nnspec.sweeping.trials import Trial
from nnspec.training.loop.interruption import Interruption
from nnspec.training.loop.progress import Quiet
from nnspec.training.run.folder import Run
from nnspec.training.run.lock import run_lock
from nnspec.training.run.resume import resume
from nnspec.training.run.train import train

POLL_SECONDS = 1.0
"""How often a worker without a trial looks for one."""

_MOST_INITIAL_FAILURES = 3
_ENDED = ("finished", "stopped early")
_CAN_RESUME = ("running", "interrupted")


class Worker:
    """Trains trials until all have ended.

    Args:
        queue: The trials.
        path: The folder of the sweep.
        spec_of: Returns the spec with the values of a trial.
        interrupted: Whether a signal asked to stop.
    """

    def __init__(
        self, queue: TrialQueue, path: Path, spec_of: Callable[[Mapping[str, Any]], Spec], interrupted: Interruption
    ) -> None:
        self._queue, self._path, self._spec_of, self._interrupted = queue, path, spec_of, interrupted
        self._ended_before = len(queue.trials())

    def run(self, changed: Callable[[], None] = lambda: None) -> None:
        """Train trials until all that are wanted have ended, or a signal asks to stop.

        Args:
            changed: Called after each trial, and regularly while the last ones are run by others.

        Raises:
            NnspecError: If the first trials all failed, or the storage cannot be used.
        """
        while not self._interrupted():
            trials = self._queue.trials()
            self._check_failures(trials)
            if sum(trial.number <= self._queue.search.section.trials for trial in trials) >= self._queue.search.section.trials:
                return
            claim = self._queue.claim()
            if claim is not None:
                self._run_trial(claim)
            else:
                time.sleep(POLL_SECONDS)
            changed()

    def _check_failures(self, trials: list[Trial]) -> None:
        if self._ended_before < _MOST_INITIAL_FAILURES <= len(trials) and all(trial.state == "failed" for trial in trials):
            raise NnspecError(f"the first {len(trials)} trials all failed; the last one: {trials[-1].reason}")

    def _run_trial(self, claim: Claim) -> None:
        import keras

        keras.backend.clear_session(free_memory=True)  # frees the memory of the previous trial
        try:
            with self._queue.heartbeat(claim):
                self._train(claim)
        except BaseException:
            with suppress(NnspecError):  # of a storage that is gone: others find out that this worker is gone too
                self._queue.release(claim)
            raise

    def _train(self, claim: Claim) -> None:
        progress = _TrialProgress(self._queue, claim)
        try:
            run = self._trained(claim, progress)
        except NnspecError as error:
            reason = error.diagnostics[0].message if isinstance(error, SpecError) else str(error).partition("\n")[0]
            self._queue.note(claim, epochs=progress.epochs)
            self._queue.end(claim, "failed", reason=reason)
            return
        if progress.problem is not None:
            raise progress.problem
        if run.status == "interrupted" and not progress.pruned:
            self._queue.release(claim)
            return
        progress.replay(run)
        self._check_data(claim, run)
        self._queue.note(claim, epochs=progress.epochs)
        if progress.best is None:
            self._queue.end(claim, "failed", reason=f"`{self._queue.search.monitor.name}` was never finite")
        else:
            self._queue.end(claim, "pruned" if progress.pruned else "finished", progress.best)

    def _trained(self, claim: Claim, progress: _TrialProgress) -> Run:
        """The run of a trial: that of an earlier attempt, resumed if it can be, or a new one."""
        spec = self._spec_of(claim.values)
        if claim.folder and (run := _run_of(Path(claim.folder), spec)) is not None:
            try:
                progress.replay(run)
                if run.status in _ENDED:
                    return run
                return resume(run.path, progress=progress, allow_different=True, stop=progress.stops)
            except NnspecError:
                if progress.begun:
                    raise
                # It cannot be resumed, as with other data or a damaged checkpoint.
        folder = self._free_folder(claim.number)
        self._queue.note(claim, folder=str(folder.resolve()))
        return train(spec, out=folder, overwrite=True, progress=progress, keep=1, stop=progress.stops)

    def _free_folder(self, number: int) -> Path:
        """The folder for a trial, in which no other process trains, such as one that was taken for gone."""
        for further in range(1, 100):
            path = self._path / (f"trial-{number:03}" if further == 1 else f"trial-{number:03}-{further}")
            if not path.exists():
                return path
            try:
                with run_lock(path):
                    return path
            except NnspecError:
                continue
        raise NnspecError(f"there is no free folder for trial {number} in {self._path}")

    def _check_data(self, claim: Claim, run: Run) -> None:
        """Check that all workers have the same data files.

        Raises:
            NnspecError: If this one has others.
        """
        files = {name: digest for part in run.info["data"].get("files", {}).values() for name, digest in part.items()}
        if not files:
            return
        names, contents = (_digest(each) for each in (sorted(files), sorted(files.items())))
        for host, before in self._queue.data().items():
            if before.get("names") == names and before.get("contents") != contents:
                self._queue.note(claim, folder="")  # nobody continues this run
                raise NnspecError(
                    f"the data files of this machine are not those of {host}, which ran an earlier trial of this sweep\n"
                    "  = help: give all machines the same files; this trial is tried again"
                )
        self._queue.note(claim, data={"names": names, "contents": contents})


def _digest(content: object) -> str:
    return sha256(repr(content).encode(errors="surrogateescape")).hexdigest()[:16]


def _run_of(path: Path, spec: Spec) -> Run | None:
    """The run of an earlier attempt, if it is on this machine and has ended or can be resumed."""
    try:
        run = Run.open(path)
        with run_lock(path):
            same = run.info["spec"]["hash"] == spec.hash
    except (NnspecError, LookupError, TypeError):
        return None
    return run if same and run.status in (*_ENDED, *_CAN_RESUME) else None


class _TrialProgress(Quiet):
    """Records the metric of each epoch of a trial, and decides whether to prune it."""

    def __init__(self, queue: TrialQueue, claim: Claim) -> None:
        self._queue, self._claim = queue, claim
        self._monitor = queue.search.monitor
        self.begun = False
        self.pruned = False
        self.best: float | None = None
        self.epochs = 0
        self._recorded: dict[int, float] = {}
        self.problem: NnspecError | None = None

    def stops(self) -> bool:
        """Whether to stop: because the trial is poor, others have taken it, or the storage is gone."""
        return self.pruned or self._claim.taken or self.problem is not None

    def begin(self, epochs: int, steps: int, batch_size: int) -> None:
        del epochs, steps, batch_size
        self.begun = True

    def replay(self, run: Run) -> None:
        """Record the epochs in the log of a run that are not recorded yet.

        Before a run is resumed, these are the epochs of earlier attempts; after it has ended, those that were in a checkpoint
        only, because the earlier worker was killed before it wrote them to the log.
        """
        for record in run.metrics():
            if self._recorded.get(record["epoch"]) != record[self._monitor.name]:
                self._record(record)

    def epoch_ended(self, record: dict[str, Any]) -> None:
        # An error of the storage interrupts the training, which can then be resumed; raised here, it would be a failed one.
        try:
            if self._record(record):
                self.pruned = self._queue.should_prune(self._claim)
        except NnspecError as error:
            self.problem = error

    def _record(self, record: Mapping[str, Any]) -> bool:
        value = float(record[self._monitor.name])
        self.epochs = max(self.epochs, int(record["epoch"]))
        self._recorded[int(record["epoch"])] = value
        if not math.isfinite(value):
            return False
        if self._monitor.better(value, self.best):
            self.best = value
        self._queue.report(self._claim, int(record["epoch"]), value)
        return True
