"""What a sweep came to: its trials, and the best of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnspec.sweeping.check import setting
from nnspec.training.plan import Monitor

__all__ = ["RECORD", "Sweep", "Trial", "sweep_text"]

RECORD = "sweep.json"
"""The file of a sweep's folder that says all this to scripts."""

_SHOWN = 10


@dataclass(frozen=True)
class Trial:
    """One training of a sweep.

    Attributes:
        number: Which one, from 1.
        values: What was put where.
        state: ``finished``, ``pruned``: broken off because it fell behind, or ``failed``.
        value: The best of the metric that is watched; None if no epoch ended.
        epochs: How many epochs it had.
        reason: Why it failed.
    """

    number: int
    values: Mapping[str, Any]
    state: str
    value: float | None
    epochs: int
    reason: str = ""

    @property
    def settings(self) -> list[str]:
        """Its values as ``--set`` takes them."""
        return [setting(path, value) for path, value in self.values.items()]


@dataclass(frozen=True)
class Sweep:
    """What a sweep came to.

    Attributes:
        path: The folder, with a run folder for each trial, ``trial-001`` and so on.
        monitor: The metric that says which trial is best.
        wanted: How many trials there were to be.
        trials: Those that ended, in order.
        shares: How much of the metric's spread each place accounts for, by functional ANOVA (Hutter et al. 2014); nothing
            before there are enough finished trials.
        interrupted: Whether Ctrl-C or another signal ended it.
        status: The exit status of a process that the signal ended; 0 where none did.
    """

    path: Path
    monitor: Monitor
    wanted: int
    trials: Sequence[Trial]
    shares: Mapping[str, float] = field(default_factory=dict)
    interrupted: bool = False
    status: int = 0

    @property
    def best(self) -> Trial | None:
        """The trial with the best metric of those that were trained to their end."""
        ended = [trial for trial in self.trials if trial.state == "finished" and trial.value is not None]
        sign = 1 if self.monitor.mode == "min" else -1
        return min(ended, key=lambda trial: sign * (trial.value or 0.0), default=None)


def sweep_text(found: Sweep) -> str:
    """The trials as a person reads them, the best first."""
    sign = 1 if found.monitor.mode == "min" else -1
    order = {"finished": 0, "pruned": 1, "failed": 2}
    ranked = sorted(found.trials, key=lambda t: (order[t.state], math.inf if t.value is None else sign * t.value, t.number))
    lines = [f"{len(found.trials)} of {found.wanted} trials, by {found.monitor.name}"]
    for trial in ranked[:_SHOWN]:
        value = "–" if trial.value is None else f"{trial.value:.4g}"
        lines.append(f"  {trial.number:>3}  {value:<9}  {trial.state:<8}  {'  '.join(trial.settings)}")
    if len(ranked) > _SHOWN:
        lines.append(f"  and {len(ranked) - _SHOWN} more, in {found.path / RECORD}")
    if found.shares:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in found.shares.items())
        lines.append(f"what the metric depends on: {shares}")
    if found.best is not None:
        sets = " ".join(f"--set '{one}'" for one in found.best.settings)
        lines += [f"the best one: {found.path / f'trial-{found.best.number:03}'}", f"as a training of its own: {sets}"]
    return "\n".join(lines)
