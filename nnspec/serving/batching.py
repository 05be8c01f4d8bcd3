"""Adaptive batching: requests of equal shapes that wait at the same time are computed together, in a thread."""

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
from nnspec.serving.costs import Cost, Gaps
from nnspec.serving.refusals import Refused, overloaded
from nnspec.serving.worker import Worker

__all__ = ["Arrays", "Batcher"]

Arrays = Mapping[str, NDArray[Any]]
_Result = Arrays | Exception
_MOST_KINDS = 256
"""Kinds of shapes that are remembered while none of theirs waits."""


@dataclass(eq=False)
class _Waiting:
    arrays: Arrays
    rows: int
    answer: asyncio.Future[Arrays]


@dataclass
class _Kind:
    """The requests of equal shapes, and what was learned of them."""

    waiting: deque[_Waiting] = field(default_factory=deque)
    cost: Cost = field(default_factory=Cost)
    gaps: Gaps = field(default_factory=Gaps)

    def clear_gone(self) -> int:
        """Forgets those whose clients no longer wait; how many."""
        before = len(self.waiting)
        if any(one.answer.done() for one in self.waiting):
            self.waiting = deque(one for one in self.waiting if not one.answer.done())
        return before - len(self.waiting)


class Batcher:
    """Computes the requests of one model, in batches, one batch at a time.

    A batch takes what waits, from the oldest request on, and those of its shapes. It waits for more only while that makes the
    answers come sooner on average ([`Cost.waiting_pays`][nnspec.serving.costs.Cost.waiting_pays]). Where a batch fails, its
    requests are computed one by one, so that one alone is answered with the error.

    Args:
        run: Computes a batch; called in a thread.
        most_rows: The most rows of a batch; 1 where requests must not be joined.
        most_waiting: The most requests that may wait.
        on_batch: Is told the rows of a batch and the seconds it took.
    """

    def __init__(
        self,
        run: Callable[[Arrays], Arrays],
        *,
        most_rows: int,
        most_waiting: int,
        on_batch: Callable[[int, float], None] = lambda rows, seconds: None,
    ) -> None:
        self._run = run
        self._most_rows = most_rows
        self._most_waiting = most_waiting
        self._on_batch = on_batch
        self._kinds: OrderedDict[tuple[Any, ...], _Kind] = OrderedDict()
        self._came = asyncio.Event()
        self._worker = Worker("batch")
        self._stop: Stop | None = None
        self._task: asyncio.Task[None] | None = None
        self._running: Sequence[_Waiting] = ()
        self.waiting = 0

    def submit(self, arrays: Arrays) -> asyncio.Future[Arrays]:
        """Puts a request in the queue.

        Returns:
            Its answer, or the exception that `run` raised for it; a future that is cancelled leaves the queue.

        Raises:
            Refused: With 503, where too many wait.
        """
        if self.waiting >= self._most_waiting:
            self._clear_gone()
            if self.waiting >= self._most_waiting:
                raise overloaded(f"{self.waiting:,} requests are waiting for this model")
        loop = asyncio.get_running_loop()
        if self._task is None:
            self._task = loop.create_task(self._work())
        kind = self._kind(tuple((name, array.shape[1:]) for name, array in arrays.items()))
        rows = max((len(array) for array in arrays.values() if array.ndim), default=1)
        one = _Waiting(arrays, rows, loop.create_future())
        kind.gaps.arrived(loop.time())
        kind.waiting.append(one)
        self.waiting += 1
        self._came.set()
        return one.answer

    async def close(self, seconds: float = math.inf) -> None:
        """Computes what still waits, and ends.

        Args:
            seconds: After which what still computes is stopped; what cannot be stopped is left alone.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (self.waiting or self._running) and loop.time() < until:
            await asyncio.sleep(0.005)
        for one in [*(one for kind in self._kinds.values() for one in kind.waiting), *self._running]:
            one.answer.cancel()
        if self._stop is not None:
            self._stop.set()
        if self._task is not None:
            self._task.cancel()
        self._worker.close()

    def cost(self) -> Cost:
        """What the shapes that were last asked for cost."""
        return next(reversed(self._kinds.values())).cost if self._kinds else Cost()

    def _kind(self, key: tuple[Any, ...]) -> _Kind:
        kind = self._kinds.get(key)
        if kind is None:
            idle = [other for other, known in self._kinds.items() if not known.waiting]
            for other in idle[: max(0, len(self._kinds) + 1 - _MOST_KINDS)]:
                del self._kinds[other]
            kind = self._kinds[key] = _Kind()
        return kind

    def _clear_gone(self) -> None:
        for kind in self._kinds.values():
            self.waiting -= kind.clear_gone()

    async def _work(self) -> None:
        while True:
            self._came.clear()
            self._clear_gone()
            if not self.waiting:
                await self._came.wait()
                continue
            key, kind = next((key, kind) for key, kind in self._kinds.items() if kind.waiting)
            await self._wait_while_it_pays(kind)
            batch = self._taken(kind)
            # The kind goes to the end, so that those of other shapes have their turn.
            self._kinds.move_to_end(key)
            if batch:
                await self._compute(batch, kind.cost)

    async def _wait_while_it_pays(self, kind: _Kind) -> None:
        while True:
            rows = sum(one.rows for one in kind.waiting)
            if rows >= self._most_rows or not kind.cost.waiting_pays(rows, kind.gaps.mean):
                return
            self._came.clear()
            try:
                # Twice the expected time: who has not come by then is not on the way.
                async with asyncio.timeout(2 * kind.gaps.mean):
                    await self._came.wait()
            except TimeoutError:
                return

    def _taken(self, kind: _Kind) -> list[_Waiting]:
        self.waiting -= kind.clear_gone()
        batch: list[_Waiting] = []
        rows = 0
        while kind.waiting and (not batch or rows + kind.waiting[0].rows <= self._most_rows):
            batch.append(kind.waiting.popleft())
            rows += batch[-1].rows
        self.waiting -= len(batch)
        return batch

    def cancel(self, answer: asyncio.Future[Arrays]) -> None:
        """Takes a request back; the batch that runs is stopped where nobody waits for it any more."""
        answer.cancel()
        if self._stop is not None and all(one.answer.done() for one in self._running):
            self._stop.set()

    async def _compute(self, batch: Sequence[_Waiting], cost: Cost) -> None:
        self._running, self._stop = batch, Stop()
        try:
            given, seconds = await self._worker.run(partial(self._results, batch, self._stop))
        finally:
            self._running, self._stop = (), None
        for one, result in zip(batch, given, strict=True):
            if one.answer.done():
                continue
            if isinstance(result, Exception):
                one.answer.set_exception(result)
            else:
                one.answer.set_result(result)
        if seconds is not None:
            rows = sum(one.rows for one in batch)
            cost.learn(rows, seconds)
            self._on_batch(rows, seconds)

    def _results(self, batch: Sequence[_Waiting], stop: Stop) -> tuple[list[_Result], float | None]:
        """The results of a batch, and the seconds it took; None where it failed. In the thread."""
        begun = perf_counter()
        with stop.of_this_thread():
            try:
                if len(batch) == 1:
                    return [self._run(batch[0].arrays)], perf_counter() - begun
                joined = {name: np.concatenate([one.arrays[name] for one in batch]) for name in batch[0].arrays}
                answers = self._run(joined)
            except Exception as error:
                return [error] if len(batch) == 1 else [self._alone(one) for one in batch], None
        return _divided(answers, batch), perf_counter() - begun

    def _alone(self, one: _Waiting) -> _Result:
        if one.answer.cancelled():
            return Refused(499, "")
        try:
            return self._run(one.arrays)
        except Exception as error:
            return error


def _divided(answers: Arrays, batch: Sequence[_Waiting]) -> list[_Result]:
    """Each request's rows of the answers."""
    found: list[_Result] = []
    start = 0
    for one in batch:
        rows = slice(start, start + one.rows)
        found.append({name: array[rows] for name, array in answers.items()})
        start += one.rows
    return found
