"""The trackers of a run: opened, kept up to date with its log, and ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from nnspec.diagnostics import NnspecError
from nnspec.extras import require
from nnspec.training.trackers.tracker import Tracker, TrackerError

if TYPE_CHECKING:
    from nnspec.training.run.folder import Run

TRACKERS = {
    "mlflow": ("nnspec.training.trackers.mlflow", "MLflow"),
    "tensorboard": ("nnspec.training.trackers.tensorboard", "TensorBoard"),
    "wandb": ("nnspec.training.trackers.wandb", "WeightsAndBiases"),
}
"""The module and class of each tracker; its extra has the same name."""


class Tracking:
    """The trackers of a training.

    A tracker that fails does not stop the training: what it lacks is written after the next epoch, at the end, or when the
    run is resumed. No epoch is written twice.

    Args:
        trackers: The open trackers.
        report: Prints a message to the user.
    """

    def __init__(self, trackers: Sequence[Tracker] = (), report: Callable[[str], None] = print) -> None:
        self._trackers = list(trackers)
        self._report = report
        self._failing: set[str] = set()

    @classmethod
    def open(cls, run: Run, report: Callable[[str], None]) -> Self:
        """Open the records of a new run, those that ``run.json`` names.

        Raises:
            TrackerError: If a tracker cannot be opened.
        """
        return cls([_opened(name, run, state) for name, state in recorded(run.info).items()], report)

    @classmethod
    def reopen(cls, run: Run, report: Callable[[str], None]) -> Self:
        """Open the records of a run that is resumed, which goes on without those that cannot be opened."""
        trackers = []
        for name, state in recorded(run.info).items():
            try:
                trackers.append(_opened(name, run, state))
            except TrackerError as error:
                report(f"warning: {error}; the training goes on without it")
        return cls(trackers, report)

    def states(self) -> dict[str, dict[str, str]]:
        """Return what finds the open records again, for ``run.json``."""
        return {tracker.name: tracker.state for tracker in self._trackers}

    def announce(self) -> None:
        """Print where the records are."""
        for tracker in self._trackers:
            self._report(f"{tracker.name}: {tracker.place}")

    def write(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Write the epochs of a log that the trackers do not have yet."""
        for tracker in self._trackers:
            with self._goes_on(tracker):
                for record in records[tracker.epochs :]:
                    tracker.write(record)
                    tracker.epochs += 1

    def end(self, run: Run, records: Sequence[Mapping[str, Any]]) -> None:
        """Write what is missing and the status of a run that ended."""
        self.write(records)
        for tracker in self._trackers:
            with self._goes_on(tracker):
                tracker.end(run)

    @contextmanager
    def _goes_on(self, tracker: Tracker) -> Iterator[None]:
        """Report the first of several errors of a tracker."""
        try:
            yield
        except TrackerError as error:
            if tracker.name not in self._failing:
                self._report(f"warning: {error}; what is missing there is written later, or by `nnspec train --resume`")
            self._failing.add(tracker.name)
        else:
            self._failing.discard(tracker.name)


def recorded(info: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return the states of the trackers of a run by name, from its ``run.json``.

    Example:
        >>> recorded({"trackers": {"mlflow": {"run_id": "1f"}}})
        {'mlflow': {'run_id': '1f'}}
    """
    before: dict[str, dict[str, str]] = {"tensorboard": {}} if info.get("tensorboard") else {}  # runs of earlier versions
    return {**before, **info.get("trackers", {})}


def check_trackers(names: Iterable[str]) -> None:
    """Check that trackers exist and are installed.

    Raises:
        NnspecError: If one is unknown or not installed.
    """
    names = list(names)
    for name in names:
        if name not in TRACKERS:
            raise NnspecError(f"there is no tracker `{name}`\n  = help: trackers are {', '.join(TRACKERS)}")
    require(*names)


def write_model(run: Run, file: Path) -> Iterator[str]:
    """Write an exported model to the trackers of a run, and yield what to report."""
    for name, state in recorded(run.info).items():
        try:
            tracker = _opened(name, run, state)
            if tracker.write_model(run, file):
                yield f"{name}: the model is in {tracker.place}"
        except NnspecError as error:
            yield f"warning: {error}; the file is written, and `nnspec export` again writes it there"


def _opened(name: str, run: Run, state: Mapping[str, str]) -> Tracker:
    check_trackers([name])
    module, kind = TRACKERS[name]
    tracker: Tracker = getattr(import_module(module), kind)(run, state)
    return tracker
