"""One or many training steps on a backend: what the loop asks of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nnspec.data.examples import Examples

__all__ = ["StepResult", "Rows", "Steps"]

Rows = NDArray[np.int64]
"""Positions of examples: steps × batch size."""


@dataclass(frozen=True)
class StepResult:
    """What some steps came to.

    Attributes:
        steps: How many were made; fewer than were asked for where the loss was no longer finite.
        loss: The loss of the last; of several turns the sum.
        before: The loss of the one before; NaN where there was none.
    """

    steps: int
    loss: float
    before: float


class Steps(Protocol):
    """Runs steps. What a step does stands in the learner; how it is compiled, and how examples come to it, stands here."""

    def train(self, examples: Examples, rows: Rows) -> StepResult:
        """Makes a step for each row of positions, in order; stops after one whose loss is not finite."""

    def prepare(self, examples: Examples, rows: Rows) -> None:
        """Begins to make the values of the rows that come next, where they are made as they are used."""

    def validate(self, examples: Examples, rows: Rows) -> None:
        """Adds batches to the metrics and trains nothing."""
