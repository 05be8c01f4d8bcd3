"""Hyperparameter search with Optuna, by one or more workers.

Optuna (Akiba et al. 2019) samples values with a tree-structured Parzen estimator (Bergstra et al. 2011) and prunes trials that
are worse than the median. Its journal or database is written after each epoch, so that an interrupted sweep can be resumed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from nnspec.diagnostics import NnspecError
from nnspec.extras import require
from nnspec.files import is_free, write_whole
from nnspec.spec import Document, Limits, Spec, load
from nnspec.sweeping.check import setting
from nnspec.sweeping.settings import search_of
from nnspec.sweeping.storage import Storage, storage_of
from nnspec.sweeping.trial_queue import TrialQueue
from nnspec.sweeping.trials import PAGE, RECORD, Sweep, Trial, record_text
from nnspec.sweeping.worker import Worker
from nnspec.training.loop.interruption import Interruption, interruptible
from nnspec.training.loop.progress import Progress, progress_for

_JOURNAL = "journal.log"
_SECONDS_BETWEEN_PAGES = 30.0


def sweep(
    file: Document,
    overrides: Sequence[str] = (),
    *,
    out: str | Path | None = None,
    resume: bool = False,
    storage: str | None = None,
    study: str | None = None,
    workers: int = 1,
    root: Path | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Runs the trials of the section ``sweep`` of a spec.

    Args:
        file: The spec: its file, or its document as a dict.
        overrides: Overrides of every trial, ``path=value`` each.
        out: The folder; by default ``runs/NAME/sweep-TIME``, or with a storage ``runs/NAME/sweep-ID``.
        resume: Whether to resume the sweep at ``out``.
        storage: Where workers of several processes and machines share the trials: ``journal:FILE``, ``sqlite:///FILE`` or
            ``postgresql://USER@HOST/DATABASE``. A sweep that is there is continued. By default a journal in the folder.
        study: The name of the sweep in the storage; by default that of the spec.
        workers: The number of workers on this machine. Several are processes of their own, each with its share of the
            processors.
        root: The folder that the spec's paths must not leave.
        limits: Limits on the cost of reading the document.
        progress: Reports progress, one line for each trial; by default on standard error.

    Returns:
        The trials; if the sweep was interrupted, those so far.

    Raises:
        SpecError: If the spec has errors.
        NnspecError: If the folder is not empty or belongs to another sweep, the storage cannot be used or has another sweep, or
            the first trials all fail.
    """
    require("sweep")
    spec = load(file, overrides, root=root, limits=limits)
    search = search_of(spec)
    if storage is None:
        path = _own_folder(spec, None if out is None else Path(out), resume=resume)
        shared = storage_of(f"journal:{path / _JOURNAL}")
    else:
        shared = storage_of(storage)
    name = study or spec.name
    queue = TrialQueue(shared, name, search)
    try:
        if storage is not None:
            path = Path(out) if out is not None else Path("runs") / spec.name / f"sweep-{queue.id[:8]}"
            _shared_folder(path, queue)
        results = _Results(queue, path, progress or progress_for())
        results.begin()
        with interruptible() as interrupted:
            if workers == 1:
                Worker(queue, path, _spec_of(file, overrides, root, limits), interrupted).run(results.update)
            else:
                settings = _settings(file, overrides, shared, name, path, root, limits)
                results.run_workers(workers, settings, interrupted)
            results.end()
            return results.sweep(interrupted)
    finally:
        queue.close()


def work(
    file: Document,
    overrides: Sequence[str],
    *,
    storage: Storage,
    study: str,
    path: str | Path,
    root: str | Path | None,
    limits: Limits | None,
    interruption: Interruption,
    load_frameworks: Callable[[], None],
) -> None:
    """Train trials of a sweep that another process has started.

    Args:
        file: The spec.
        overrides: Overrides of every trial.
        storage: The storage.
        study: The name of the sweep in the storage.
        path: The folder of the sweep.
        root: The folder that the spec's paths must not leave.
        limits: Limits on the cost of reading the document.
        interruption: Whether to stop.
        load_frameworks: Loads the frameworks, which takes seconds, after the storage is known to be usable.

    Raises:
        NnspecError: If the storage cannot be used, or the first trials all fail.
    """
    at = None if root is None else Path(root)
    queue = TrialQueue(storage, study, search_of(load(file, overrides, root=at, limits=limits)))
    try:
        load_frameworks()
        Worker(queue, Path(path), _spec_of(file, overrides, at, limits), interruption).run()
    finally:
        queue.close()


def _spec_of(
    file: Document, overrides: Sequence[str], root: Path | None, limits: Limits | None
) -> Callable[[Mapping[str, Any]], Spec]:
    def spec_of(values: Mapping[str, Any]) -> Spec:
        more = [setting(place, value) for place, value in values.items()]
        return load(file, [*overrides, *more, "sweep=null"], root=root, limits=limits)

    return spec_of


def _settings(
    file: Document,
    overrides: Sequence[str],
    storage: Storage,
    study: str,
    path: Path,
    root: Path | None,
    limits: Limits | None,
) -> dict[str, Any]:
    """The settings of a worker in a process of its own."""
    return {
        "file": file if isinstance(file, Mapping) else str(file),
        "overrides": list(overrides),
        "storage": storage.url,
        "study": study,
        "path": str(path),
        "root": None if root is None else str(root),
        "limits": asdict(limits or Limits()),
    }


# --- the folder ---------------------------------------------------------------------------------------------------------------


def _own_folder(spec: Spec, out: Path | None, *, resume: bool) -> Path:
    """The folder of a sweep whose journal is in it."""
    if out is None:
        if resume:
            raise NnspecError("`--resume` needs the folder of the sweep\n  = help: name it with `--out`")
        out = Path("runs") / spec.name / f"sweep-{datetime.now().strftime('%Y%m%d-%H%M%S')}"
    is_sweep = (out / _JOURNAL).is_file()
    if resume and not is_sweep:
        raise NnspecError(f"there is no sweep at {out}")
    if not resume and not is_free(out):
        help = "name an empty or a new folder"
        help += ", or continue it with `--resume`" if is_sweep else ""
        raise NnspecError(f"{out} exists and is not empty\n  = help: {help}")
    _create(out)
    return out


def _shared_folder(path: Path, queue: TrialQueue) -> None:
    """Create the folder of a sweep in a storage, or check that it belongs to it."""
    record = path / RECORD
    if not is_free(path):
        try:
            found = json.loads(record.read_text("utf-8"))
        except (OSError, ValueError):
            found = None
        if not isinstance(found, dict) or found.get("id") != queue.id:
            raise NnspecError(
                f"{path} exists, and is not the folder of the sweep in {queue.storage.shown}\n"
                "  = help: name an empty or a new folder with `--out`"
            )
    _create(path)


def _create(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NnspecError(f"cannot create the folder {path}: {error.strerror}") from error


# --- results ------------------------------------------------------------------------------------------------------------------


class _Results:
    """Prints and writes the results of a sweep while it runs."""

    def __init__(self, queue: TrialQueue, path: Path, progress: Progress) -> None:
        self._queue, self._path, self._progress = queue, path, progress
        self._printed: set[int] = set()
        self._waited = False
        self._page_written = time.monotonic()
        self._shares: Mapping[str, float] = {}

    def begin(self) -> None:
        found = self._queue.trials()
        self._printed = {trial.number for trial in found}
        running = len(self._queue.running())
        if found or running:
            more = f"; {running} run elsewhere" if running else ""
            wanted = self._queue.search.section.trials
            how = "joining" if running else "continuing"
            self._progress.print(f"{how} the sweep in {self._path}: {len(found)} of {wanted} trials have ended{more}")
        self._write(self.sweep(None))

    def run_workers(self, count: int, settings: Mapping[str, Any], interrupted: Interruption) -> None:
        from nnspec.sweeping.worker_processes import run_workers

        run_workers(
            count,
            settings,
            self._path,
            interrupted=interrupted,
            changed=self.update,
            ran_a_trial=lambda pid: pid in self._queue.workers(),
            say=self._progress.print,
        )

    def update(self) -> None:
        """Print the trials that have ended since the last time."""
        found = self.sweep(None)
        new = [trial for trial in found.trials if trial.number not in self._printed]
        for trial in new:
            self._print(trial)
            self._printed.add(trial.number)
        if new:
            self._write(found)
        if time.monotonic() - self._page_written > _SECONDS_BETWEEN_PAGES:
            self._write_page(found)

    def end(self) -> None:
        """Print and write everything, with the importance of each range, which is computed once because it is slow."""
        self.update()
        self._shares = self._queue.shares()
        found = self.sweep(None)
        self._write(found)
        self._write_page(found)

    def sweep(self, interrupted: Interruption | None) -> Sweep:
        """The result so far."""
        search = self._queue.search
        return Sweep(
            self._path,
            search.monitor,
            search.section.trials,
            [self._with_place(trial) for trial in self._queue.trials()],
            self._queue.storage.shown,
            self._queue.id,
            self._shares,
            interrupted is not None and interrupted(),
            interrupted.status if interrupted is not None and interrupted() else 0,
        )

    def _with_place(self, trial: Trial) -> Trial:
        """Shorten the path of a run in the folder of the sweep."""
        run = Path(trial.run)
        here = self._path.resolve()
        return replace(trial, run=str(run.relative_to(here))) if trial.run and run.is_relative_to(here) else trial

    def _write(self, found: Sweep) -> None:
        write_whole(self._path / RECORD, record_text(found))

    def _write_page(self, found: Sweep) -> None:
        from nnspec.sweeping.page import sweep_page

        self._page_written = time.monotonic()
        search = self._queue.search
        write_whole(self._path / PAGE, sweep_page(found, str(search.document["name"]), search.section.over))

    def _print(self, trial: Trial) -> None:
        value = "–" if trial.value is None else f"{trial.value:.4g}"
        epochs = "1 epoch" if trial.epochs == 1 else f"{trial.epochs} epochs"
        how = f"failed: {trial.reason}" if trial.state == "failed" else f"{trial.state} after {epochs}"
        again = f", attempt {trial.attempts}" if trial.attempts > 1 else ""
        wanted, monitor = self._queue.search.section.trials, self._queue.search.monitor
        settings = "  ".join(trial.settings)
        self._progress.print(f"trial {trial.number}/{wanted}  {monitor.name} {value}  {settings}  {how}{again}")
