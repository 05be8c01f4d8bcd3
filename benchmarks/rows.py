"""One measurement: ours against a peer's, by turns in one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Row", "interleaved"]


@dataclass(frozen=True)
class Row:
    """What was measured.

    Attributes:
        what: In words, batch size and all.
        ours: Our figure.
        peer: The peer's.
        unit: Of both.
        against: Who the peer is.
        better: ``low`` where less is better (seconds), ``high`` where more is (samples a second).
        noise: How much the same thing measured twice differed, as a fraction; None where that was not measured.
    """

    what: str
    ours: float
    peer: float
    unit: str
    against: str
    better: str = "low"
    noise: float | None = None

    @property
    def ratio(self) -> float:
        """How many times better ours is: above 1 is ahead."""
        return self.peer / self.ours if self.better == "low" else self.ours / self.peer


def interleaved(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median seconds of each run, taken by turns, so that a drift of the machine meets all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in seconds.items()}
