"""The batches of each epoch. They depend on the seed and the epoch only, so that a training can resume anywhere."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from nnspec.data.examples import Examples
from nnspec.training.loop.backend import Rows
from nnspec.training.loop.class_order import ClassSampling


class Pace(Protocol):
    """The most steps of a call."""

    steps: int


@dataclass(frozen=True)
class Order:
    """The batches of each epoch.

    Attributes:
        parts: The examples. If there are several parts, each batch is from one of them, and the batches are shuffled.
        batch_size: The number of examples of a batch; the last batch of each part may be smaller.
        seed: The seed of the order.
        sampling: Samples batches by class; None if each example is in one batch of an epoch.
        full: Whether a smaller last batch of a part is left out, unless it is the only one.
    """

    parts: Sequence[Examples]
    batch_size: int
    seed: int
    sampling: ClassSampling | None = None
    full: bool = False

    @property
    def steps(self) -> int:
        """The number of steps of an epoch."""
        return sum(batches_of(len(part), self.batch_size, full=self.full) for part in self.parts)

    def calls(self, epoch: int, first: int, end: int, pace: Pace) -> Iterator[tuple[Examples, Rows]]:
        """The calls from one step of an epoch to another: a part and its indices, (steps, batch size)."""
        if len(self.parts) == 1:
            [part] = self.parts
            order = self._order(part, epoch)
            yield from ((part, rows) for rows in calls_of(order, self.batch_size, first, end, pace))
            return
        batches = self._shuffled(epoch)[first:end]
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

    def _order(self, part: Examples, epoch: int) -> Rows:
        if self.sampling is None:
            if part.groups is not None:
                return order_of_groups(part.groups.of(part.rows), part.groups.mixed, self.seed, epoch)
            return order_of(len(part), self.seed, epoch)
        batches = self.steps * self.batch_size // self.sampling.batch_size
        return self.sampling.order(batches, self.seed, epoch)

    def _shuffled(self, epoch: int) -> list[tuple[Examples, Rows]]:
        random = np.random.default_rng([self.seed, epoch])
        batches: list[tuple[Examples, Rows]] = []
        for part in self.parts:
            order = random.permutation(len(part)).astype(np.int64)
            count = batches_of(len(order), self.batch_size, full=self.full)
            batches += [(part, order[i * self.batch_size : (i + 1) * self.batch_size]) for i in range(count)]
        return [batches[i] for i in random.permutation(len(batches))]


def batches_of(count: int, size: int, *, full: bool) -> int:
    """The number of batches of some examples.

    Args:
        count: The number of examples.
        size: The number of examples of a batch.
        full: Whether a smaller last batch is left out, unless it is the only one.
    """
    return max(count // size, min(count, 1)) if full else math.ceil(count / size)


def even_batches(count: int, size: int, group: int = 1) -> list[int]:
    """The sizes of as few batches as possible of all examples, which differ by at most a group, in descending order.

    Args:
        count: The number of examples.
        size: The most examples of a batch.
        group: The number of successive examples that stay in one batch.

    Example:
        >>> even_batches(10, 4), even_batches(21, 8, 4)
        ([4, 3, 3], [8, 8, 5])
    """
    groups = math.ceil(count / group)
    batches = math.ceil(groups / max(size // group, 1))
    sizes = [group * (groups // batches + (i < groups % batches)) for i in range(batches)]
    return [*sizes[:-1], sizes[-1] - (group * groups - count)]


def order_of(count: int, seed: int, epoch: int) -> Rows:
    """The order of examples in an epoch."""
    return np.random.default_rng([seed, epoch]).permutation(count).astype(np.int64)


def order_of_groups(groups: Rows, mixed: int, seed: int, epoch: int) -> Rows:
    """The order of examples in an epoch, in which only a few row groups are in use at a time.

    The groups are shuffled, and the examples of each are spread at random over the space of several groups.

    Args:
        groups: The group of each example.
        mixed: The number of groups over whose space the examples of a group are spread.
        seed: The seed of the order.
        epoch: The epoch.

    Example:
        >>> order = order_of_groups(np.repeat(np.arange(100), 50), 4, 1, 0)
        >>> sorted(order) == list(range(5000)), len(set(order[2000:2100] // 50)) <= 7
        (True, True)
    """
    random = np.random.default_rng([seed, epoch])
    distinct, own = np.unique(groups, return_inverse=True)
    places = random.permutation(len(distinct))[own] + mixed * random.random(len(groups))
    return places.argsort(kind="stable").astype(np.int64)


def whole_calls(count: int, batch_size: int, pace: Pace, *, even: bool, group: int = 1) -> Iterator[Rows]:
    """The indices of each call over all examples in their order, (steps, batch size).

    Args:
        count: The number of examples.
        batch_size: The number of examples of a batch.
        pace: The most steps of a call.
        even: Whether batches are of about one size, since a loss depends on it; otherwise the last one may be smaller.
        group: The number of successive examples that stay in one batch, if batches are even.
    """
    order = np.arange(count)
    if not even:
        yield from calls_of(order, batch_size, 0, math.ceil(count / batch_size), pace)
        return
    sizes = even_batches(count, batch_size, group)
    start = 0
    for size in dict.fromkeys(sizes):
        batches = sizes.count(size)
        yield from calls_of(order[start : start + batches * size], size, 0, batches, pace)
        start += batches * size


def calls_of(order: Rows, batch_size: int, first: int, end: int, pace: Pace) -> Iterator[Rows]:
    """The indices of each call, from one step of the epoch to another, (steps, batch size)."""
    whole = min(end, len(order) // batch_size)
    start = first
    while start < whole:
        stop = min(start + pace.steps, whole)
        yield order[start * batch_size : stop * batch_size].reshape(-1, batch_size)
        start = stop
    if start < end:
        yield order[start * batch_size :].reshape(1, -1)
