"""One or many training steps on a backend: what the loop asks of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nnspec.data.examples import Examples
from nnspec.training.supervised import Supervised

__all__ = ["Done", "Rows", "Steps", "averaged_weights"]

Rows = NDArray[np.int64]
"""Positions of examples: steps × batch size."""


@dataclass(frozen=True)
class Done:
    """What some steps came to.

    Attributes:
        steps: How many were made; fewer than were asked for where the loss was no longer finite.
        loss: The loss of the last.
        before: The loss of the one before; NaN where there was none.
    """

    steps: int
    loss: float
    before: float


class Steps(Protocol):
    """Runs steps. What a step does stands in the objective; how it is compiled, and how examples come to it, stands here."""

    def train(self, examples: Examples, rows: Rows) -> Done:
        """Makes a step for each row of positions, in order; stops after one whose loss is not finite."""

    def prepare(self, examples: Examples, rows: Rows) -> None:
        """Begins to make the values of the rows that come next, where they are made as they are used."""

    def watch(self, examples: Examples, rows: Rows) -> None:
        """Adds batches to the figures and trains nothing."""


@contextmanager
def averaged_weights(objective: Supervised, optimizer: Any) -> Iterator[None]:
    """Puts the moving average of the weights in their place, where the optimizer keeps one, and takes it out again."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if not inner.use_ema or not inner.built:
        yield
        return
    variables = objective.model.trainable_variables
    kept = [variable.numpy() for variable in variables]
    # As keras.callbacks.SwapEMAWeights does it: the optimizer has no public name for them.
    for variable, average in zip(variables, inner._model_variables_moving_average, strict=True):
        variable.assign(average)
    try:
        yield
    finally:
        for variable, value in zip(variables, kept, strict=True):
            variable.assign(value)
