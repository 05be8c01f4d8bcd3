"""The interface of backends: training and validation steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from nnspec.data.examples import Examples

Rows = NDArray[np.int64]
"""Indices of examples, (steps, batch size)."""


@dataclass(frozen=True)
class StepResult:
    """The result of some steps.

    Attributes:
        steps: The number of completed steps, fewer than requested if the loss is not finite.
        loss: The loss of the last step; the sum if a step has several updates.
        before: The loss of the previous step; NaN if there is none.
    """

    steps: int
    loss: float
    before: float


class Steps(Protocol):
    """Runs steps: compiles the learner's updates, and moves examples to the device."""

    def train(self, examples: Examples, rows: Rows) -> StepResult:
        """Trains one step for each row of indices, in order; stops if a loss is not finite."""

    def prepare(self, examples: Examples, rows: Rows) -> None:
        """Starts to prefetch the examples of the next call, if they are read on demand."""

    def validate(self, examples: Examples, rows: Rows) -> None:
        """Updates the metrics with batches, without training."""
