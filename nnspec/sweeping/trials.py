"""The result of a sweep: its trials, and the best of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nnspec.printable import json_text
from nnspec.sweeping.check import setting
from nnspec.training.plan import Monitor

RECORD = "sweep.json"
"""The result file in the folder of a sweep."""

PAGE = "sweep.html"
"""The result as a page."""

_SHOWN = 10


@dataclass(frozen=True)
class Trial:
    """One training of a sweep.

    Attributes:
        number: The number of the trial, from 1.
        values: The values by path.
        state: ``finished``, ``pruned`` or ``failed``.
        value: The best value of the monitored metric; None if no epoch is complete.
        epochs: The number of completed epochs.
        reason: Why it failed.
        run: The run folder: its name in the folder of the sweep, or its path if it is elsewhere; empty if there is none.
        host: The machine that ran it.
        attempts: How often it was started; more than once if its worker was interrupted or killed.
        metrics: The metric after each epoch, from 1, where it is finite.
    """

    number: int
    values: Mapping[str, Any]
    state: str
    value: float | None
    epochs: int
    reason: str = ""
    run: str = ""
    host: str = ""
    attempts: int = 1
    metrics: Mapping[int, float] = field(default_factory=dict)

    @property
    def settings(self) -> list[str]:
        """The values, formatted as for ``--set``."""
        return [setting(path, value) for path, value in self.values.items()]


@dataclass(frozen=True)
class Sweep:
    """The result of a sweep.

    Attributes:
        path: The folder, with a run folder for each trial that ran here, ``trial-001`` and so on.
        monitor: The metric to optimize.
        wanted: The requested number of trials.
        trials: The ended trials, in order.
        storage: Where the workers share the trials, without a password.
        id: The ID of the sweep.
        shares: The importance of each path: its share of the variance of the metric, by functional ANOVA (Hutter et al. 2014).
            Empty if there are too few finished trials.
        interrupted: Whether a signal interrupted the sweep.
        status: The exit status of a process that a signal ended; 0 if none did.
    """

    path: Path
    monitor: Monitor
    wanted: int
    trials: Sequence[Trial]
    storage: str = ""
    id: str = ""
    shares: Mapping[str, float] = field(default_factory=dict)
    interrupted: bool = False
    status: int = 0

    @property
    def best(self) -> Trial | None:
        """The finished trial with the best value."""
        ended = [trial for trial in self.trials if trial.state == "finished" and trial.value is not None]
        sign = 1 if self.monitor.mode == "min" else -1
        return min(ended, key=lambda trial: sign * (trial.value or 0.0), default=None)


def record_text(found: Sweep) -> str:
    """Format a sweep as the content of `RECORD`."""
    record = {
        "id": found.id,
        "storage": found.storage,
        "monitor": asdict(found.monitor),
        "wanted": found.wanted,
        "best": found.best.number if found.best is not None else None,
        "shares": dict(found.shares),
        "trials": [asdict(trial) for trial in found.trials],
    }
    return json_text(record, indent=1) + "\n"


def _place(found: Sweep, trial: Trial) -> str:
    """Where the run of a trial is, with the machine if it is not here."""
    path = found.path / trial.run
    return str(path) if path.exists() else f"{path} on {trial.host}"


def ranked(found: Sweep) -> list[Trial]:
    """The trials, the best first."""
    sign = 1 if found.monitor.mode == "min" else -1
    order = {"finished": 0, "pruned": 1, "failed": 2}
    return sorted(found.trials, key=lambda t: (order[t.state], math.inf if t.value is None else sign * t.value, t.number))


def sweep_text(found: Sweep) -> str:
    """Formats the trials as text, the best first."""
    best_first = ranked(found)
    lines = [f"{len(found.trials)} of {found.wanted} trials, by {found.monitor.name}"]
    for trial in best_first[:_SHOWN]:
        value = "–" if trial.value is None else f"{trial.value:.4g}"
        lines.append(f"  {trial.number:>3}  {value:<9}  {trial.state:<8}  {'  '.join(trial.settings)}")
    if len(best_first) > _SHOWN:
        lines.append(f"  and {len(best_first) - _SHOWN} more, in {found.path / RECORD}")
    if found.shares:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in found.shares.items())
        lines.append(f"importance: {shares}")
    if found.best is not None:
        sets = " ".join(f"--set '{one}'" for one in found.best.settings)
        lines += [f"best trial: {_place(found, found.best)}", f"to train with its values: {sets}"]
    return "\n".join(lines)
