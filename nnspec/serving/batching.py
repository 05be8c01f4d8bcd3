"""Adaptive batching: waiting requests with equal shapes are computed together, in a thread."""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.session import Stop
from nnspec.serving.errors import RequestError, overloaded
from nnspec.serving.worker import Worker

_DECAY = 0.98
"""Weight of the previous statistics at each new batch, a window of about 50 batches."""


class Cost:
    """Fit of ``seconds = a·rows + b`` to past batches with exponential decay.

    Example:
        >>> cost = Cost()
        >>> for rows in (1, 2, 4, 8):
        ...     cost.update(rows, 0.001 * rows + 0.01)
        >>> round(cost.a, 6), round(cost.b, 6)
        (0.001, 0.01)
    """

    def __init__(self) -> None:
        self._n = self._x = self._y = self._xx = self._xy = 0.0
        self.a = self.b = 0.0

    def update(self, rows: int, seconds: float) -> None:
        """Add a batch to the fit."""
        for name, value in (("_n", 1), ("_x", rows), ("_y", seconds), ("_xx", rows * rows), ("_xy", rows * seconds)):
            setattr(self, name, _DECAY * getattr(self, name) + value)
        spread = self._n * self._xx - self._x * self._x
        # If all batches have the same size, `b` is unknown and set to 0, so that no batch waits.
        slope = (self._n * self._xy - self._x * self._y) / spread if spread > 1e-6 * self._xx * self._n else self._y / self._x
        # A negative slope or intercept is noise and is set to 0.
        self.a = min(max(slope, 0.0), self._y / self._x)
        self.b = (self._y - self.a * self._x) / self._n

    def should_wait(self, rows: int, gap: float) -> bool:
        """Whether the mean latency decreases if a batch waits for one more row.

        Waiting delays each of ``rows`` by ``gap`` and by the ``a`` of one more row. Without waiting, the next row waits for
        the rest of this batch and then takes ``a + b``. The sums differ by ``b − (rows + 1)·gap − rows·a``.

        Args:
            rows: The number of rows in the batch.
            gap: The expected seconds until the next row.

        Example:
            >>> cost = Cost()
            >>> cost.a, cost.b = 0.0001, 0.01
            >>> cost.should_wait(1, gap=0.001), cost.should_wait(20, gap=0.001)
            (True, False)
        """
        return (rows + 1) * gap + rows * self.a < self.b


class ArrivalGaps:
    """Exponential moving average of the time between requests."""

    def __init__(self) -> None:
        self._last: float | None = None
        self.mean = float("inf")

    def arrived(self, now: float) -> None:
        """Record the arrival of a request."""
        if self._last is not None:
            gap = now - self._last
            self.mean = gap if self.mean == float("inf") else 0.9 * self.mean + 0.1 * gap
        self._last = now


Arrays = Mapping[str, NDArray[Any]]
_Result = Arrays | Exception
_MAX_GROUPS = 256
"""Number of shape groups whose statistics are kept while they have no waiting requests."""


@dataclass(eq=False)
class _Waiting:
    arrays: Arrays
    rows: int
    answer: asyncio.Future[Arrays]


@dataclass
class _ShapeGroup:
    """Requests with equal shapes, and their cost and arrival statistics."""

    waiting: deque[_Waiting] = field(default_factory=deque)
    cost: Cost = field(default_factory=Cost)
    gaps: ArrivalGaps = field(default_factory=ArrivalGaps)

    def remove_canceled(self) -> int:
        """Remove requests that were canceled and return their number."""
        before = len(self.waiting)
        if any(one.answer.done() for one in self.waiting):
            self.waiting = deque(one for one in self.waiting if not one.answer.done())
        return before - len(self.waiting)


class Batcher:
    """Computes the requests of one model in batches, one batch at a time.

    A batch contains the oldest waiting request and others with the same shapes. It waits for more requests only while that
    reduces the mean latency ([`Cost.should_wait`][]). If a batch fails, its requests are
    computed one by one, so that only the failing request gets the error.

    Args:
        run: Computes a batch; called in a thread.
        max_rows: The maximum number of rows in a batch; 1 if requests must not be batched.
        max_waiting: The maximum number of waiting requests.
        on_batch: Called with the rows and the seconds of each batch.
    """

    def __init__(
        self,
        run: Callable[[Arrays], Arrays],
        *,
        max_rows: int,
        max_waiting: int,
        on_batch: Callable[[int, float], None] = lambda rows, seconds: None,
    ) -> None:
        self._run = run
        self._max_rows = max_rows
        self._max_waiting = max_waiting
        self._on_batch = on_batch
        self._groups: OrderedDict[tuple[Any, ...], _ShapeGroup] = OrderedDict()
        self._arrived = asyncio.Event()
        self._worker = Worker("batch")
        self._stop: Stop | None = None
        self._task: asyncio.Task[None] | None = None
        self._running: Sequence[_Waiting] = ()
        self.waiting = 0

    def submit(self, arrays: Arrays) -> asyncio.Future[Arrays]:
        """Queue a request.

        Returns:
            A future of its outputs, or of the exception that `run` raised. Canceling it removes the request from the queue.

        Raises:
            RequestError: With 503, if too many requests are waiting.
        """
        if self.waiting >= self._max_waiting:
            self._remove_canceled()
            if self.waiting >= self._max_waiting:
                raise overloaded(f"{self.waiting:,} requests are waiting for this model")
        loop = asyncio.get_running_loop()
        if self._task is None:
            self._task = loop.create_task(self._work())
        group = self._kind(tuple((name, array.shape[1:]) for name, array in arrays.items()))
        rows = max((len(array) for array in arrays.values() if array.ndim), default=1)
        one = _Waiting(arrays, rows, loop.create_future())
        group.gaps.arrived(loop.time())
        group.waiting.append(one)
        self.waiting += 1
        self._arrived.set()
        return one.answer

    async def close(self, seconds: float = math.inf) -> None:
        """Compute the waiting requests, then shut down.

        Args:
            seconds: The time after which requests are canceled and a running computation is interrupted.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (self.waiting or self._running) and loop.time() < until:
            await asyncio.sleep(0.005)
        for one in [*(one for group in self._groups.values() for one in group.waiting), *self._running]:
            one.answer.cancel()
        if self._stop is not None:
            self._stop.set()
        if self._task is not None:
            self._task.cancel()
        self._worker.close()

    def cost(self) -> Cost:
        """The cost of the shapes of the most recent batch."""
        return next(reversed(self._groups.values())).cost if self._groups else Cost()

    def _kind(self, key: tuple[Any, ...]) -> _ShapeGroup:
        group = self._groups.get(key)
        if group is None:
            idle = [other for other, known in self._groups.items() if not known.waiting]
            for other in idle[: max(0, len(self._groups) + 1 - _MAX_GROUPS)]:
                del self._groups[other]
            group = self._groups[key] = _ShapeGroup()
        return group

    def _remove_canceled(self) -> None:
        for group in self._groups.values():
            self.waiting -= group.remove_canceled()

    async def _work(self) -> None:
        while True:
            self._arrived.clear()
            self._remove_canceled()
            if not self.waiting:
                await self._arrived.wait()
                continue
            key, group = next((key, group) for key, group in self._groups.items() if group.waiting)
            await self._wait_for_more(group)
            batch = self._take_batch(group)
            # Move the group to the end, so that groups with other shapes are next.
            self._groups.move_to_end(key)
            if batch:
                await self._compute(batch, group.cost)

    async def _wait_for_more(self, group: _ShapeGroup) -> None:
        while True:
            rows = sum(one.rows for one in group.waiting)
            if rows >= self._max_rows or not group.cost.should_wait(rows, group.gaps.mean):
                return
            self._arrived.clear()
            try:
                # Wait at most twice the expected time.
                async with asyncio.timeout(2 * group.gaps.mean):
                    await self._arrived.wait()
            except TimeoutError:
                return

    def _take_batch(self, group: _ShapeGroup) -> list[_Waiting]:
        self.waiting -= group.remove_canceled()
        batch: list[_Waiting] = []
        rows = 0
        while group.waiting and (not batch or rows + group.waiting[0].rows <= self._max_rows):
            batch.append(group.waiting.popleft())
            rows += batch[-1].rows
        self.waiting -= len(batch)
        return batch

    def cancel(self, answer: asyncio.Future[Arrays]) -> None:
        """Cancel a request, and interrupt the running batch if all of its requests are canceled."""
        answer.cancel()
        if self._stop is not None and all(one.answer.done() for one in self._running):
            self._stop.set()

    async def _compute(self, batch: Sequence[_Waiting], cost: Cost) -> None:
        self._running, self._stop = batch, Stop()
        try:
            results, seconds = await self._worker.run(partial(self._results, batch, self._stop))
        finally:
            self._running, self._stop = (), None
        for one, result in zip(batch, results, strict=True):
            if one.answer.done():
                continue
            if isinstance(result, Exception):
                one.answer.set_exception(result)
            else:
                one.answer.set_result(result)
        if seconds is not None:
            rows = sum(one.rows for one in batch)
            cost.update(rows, seconds)
            self._on_batch(rows, seconds)

    def _results(self, batch: Sequence[_Waiting], stop: Stop) -> tuple[list[_Result], float | None]:
        """The results of a batch and its seconds, or None if it failed. Runs in the thread."""
        start = perf_counter()
        with stop.of_this_thread():
            try:
                if len(batch) == 1:
                    return [self._run(batch[0].arrays)], perf_counter() - start
                joined = {name: np.concatenate([one.arrays[name] for one in batch]) for name in batch[0].arrays}
                answers = self._run(joined)
            except Exception as error:
                return [error] if len(batch) == 1 else [self._compute_one(one) for one in batch], None
        return _split(answers, batch), perf_counter() - start

    def _compute_one(self, one: _Waiting) -> _Result:
        if one.answer.cancelled():
            return RequestError(499, "")
        try:
            return self._run(one.arrays)
        except Exception as error:
            return error


def _split(answers: Arrays, batch: Sequence[_Waiting]) -> list[_Result]:
    """Split the outputs of a batch into those of its requests."""
    found: list[_Result] = []
    start = 0
    for one in batch:
        rows = slice(start, start + one.rows)
        found.append({name: array[rows] for name, array in answers.items()})
        start += one.rows
    return found
