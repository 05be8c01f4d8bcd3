"""What a training does: the interface between an objective and the loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from nnspec.training.loop.learner import Learner
from nnspec.training.plan import PhasePlan

__all__ = ["Task"]


class Task(Protocol):
    """What is trained in each phase, and what is examined after each epoch."""

    def learner(self, phase: PhasePlan) -> Learner:
        """The learner of a phase."""

    def examine(self, epoch: int, folder: Path) -> dict[str, Any]:
        """Metrics of the networks themselves after an epoch; may write images into the run folder."""

    def warnings(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """Warnings about the log up to its last epoch; the text before the colon is the kind of a warning."""
