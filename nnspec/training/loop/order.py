"""In which batches the examples of an epoch come: by the seed and the epoch alone, so that a training can go on anywhere."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nnspec.data.examples import Examples
from nnspec.training.backends.base import Rows

__all__ = ["Order", "Pace", "calls_of", "order_of"]


class Pace(Protocol):
    """How many steps a call makes at most."""

    steps: int


@dataclass(frozen=True)
class Order:
    """The batches of each epoch.

    Attributes:
        parts: The examples. Where there are several, the examples of a batch are all of one of them, and the batches of all
            come mixed.
        batch_size: Examples of a step; the last batch of each part may have fewer.
        seed: Which order they have.
    """

    parts: Sequence[Examples]
    batch_size: int
    seed: int

    @property
    def steps(self) -> int:
        """How many steps an epoch has."""
        return sum(math.ceil(len(part) / self.batch_size) for part in self.parts)

    def calls(self, epoch: int, first: int, end: int, pace: Pace) -> Iterator[tuple[Examples, Rows]]:
        """The batches from a step of an epoch to another, those of a call together: positions in a part, steps × batch size."""
        if len(self.parts) == 1:
            [part] = self.parts
            order = order_of(len(part), self.seed, epoch)
            yield from ((part, rows) for rows in calls_of(order, self.batch_size, first, end, pace))
            return
        batches = self._mixed(epoch)[first:end]
        start = 0
        while start < len(batches):
            part, rows = batches[start]
            stop = start + 1
            while stop < min(len(batches), start + pace.steps):
                if batches[stop][0] is not part or len(batches[stop][1]) != len(rows):
                    break
                stop += 1
            yield part, np.stack([batch for _, batch in batches[start:stop]])
            start = stop

    def _mixed(self, epoch: int) -> list[tuple[Examples, Rows]]:
        random = np.random.default_rng([self.seed, epoch])
        batches: list[tuple[Examples, Rows]] = []
        for part in self.parts:
            order = random.permutation(len(part)).astype(np.int64)
            batches += [(part, order[at : at + self.batch_size]) for at in range(0, len(order), self.batch_size)]
        return [batches[i] for i in random.permutation(len(batches))]


def order_of(count: int, seed: int, epoch: int) -> Rows:
    """The order of so many examples in an epoch."""
    return np.random.default_rng([seed, epoch]).permutation(count).astype(np.int64)


def calls_of(order: Rows, batch_size: int, first: int, end: int, pace: Pace) -> Iterator[Rows]:
    """The positions of each call's steps, from a step of the epoch to another."""
    whole = min(end, len(order) // batch_size)
    start = first
    while start < whole:
        stop = min(start + pace.steps, whole)
        yield order[start * batch_size : stop * batch_size].reshape(-1, batch_size)
        start = stop
    if start < end:
        yield order[start * batch_size :].reshape(1, -1)
