"""Batches with several examples of each class, as losses need that compare examples of equal and different classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnspec.training.loop.backend import Rows


@dataclass(frozen=True)
class ClassSampling:
    """How batches are sampled by class.

    Attributes:
        classes: The class of each example, from 0 without gaps.
        each: The number of examples of each class of a batch.
        batch_size: The number of examples of a batch, a multiple of `each`.
    """

    classes: NDArray[np.int64]
    each: int
    batch_size: int

    def order(self, count: int, seed: int, epoch: int) -> Rows:
        """The examples of an epoch: each batch lists its classes one after another.

        Classes are picked in random order, and again only after all others; so are the examples of a class.

        Args:
            count: The number of batches.
            seed: The seed of the order.
            epoch: The epoch.
        """
        random = np.random.default_rng([seed, epoch])
        rows = np.argsort(self.classes, kind="stable")
        of_class = np.split(rows, np.flatnonzero(np.diff(self.classes[rows])) + 1)
        picked = _rounds(random, np.arange(len(of_class)), self.batch_size // self.each, count)
        order = np.empty((*picked.shape, self.each), np.int64)
        for number, own in enumerate(of_class):
            places = picked == number
            order[places] = _rounds(random, own, self.each, int(places.sum()))
        return order.ravel()


def _rounds(random: np.random.Generator, values: NDArray[np.int64], size: int, count: int) -> NDArray[np.int64]:
    """Draws groups of values, (count, size): distinct in a group if there are enough of them, and in random order.

    A permutation is cut into groups, and its rest left out.
    """
    whole = max(1, len(values) // size)
    rounds = -(-count // whole)
    drawn = random.permuted(np.broadcast_to(values, (rounds, len(values))), axis=1)
    if len(values) < size:
        drawn = np.resize(drawn.T, (size, rounds)).T
    return drawn[:, : whole * size].reshape(-1, size)[:count]


def grouped(classes: NDArray[np.int64], each: int) -> Rows:
    """The order of validation examples: each once, `each` of a class after another, as far as there are any.

    Example:
        >>> grouped(np.array([0, 0, 0, 1, 1, 1]), 2).tolist()
        [0, 1, 3, 4, 2, 5]
    """
    rows = np.argsort(classes, kind="stable")
    start = np.searchsorted(classes[rows], classes[rows])
    turn = (np.arange(len(rows)) - start) // each
    return rows[np.lexsort((classes[rows], turn))]
