"""Prefetching of examples that are read on demand, while the steps of earlier calls run."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from nnspec.data.examples import Batch, Examples
from nnspec.training.loop.backend import Rows

AHEAD = 2
"""The number of calls that are read ahead: while one waits for a disk or a server, the images of the other are decoded."""


class Prefetcher:
    """Reads batches in threads before they are needed.

    Args:
        own: Of the rows of a call, those that this process reads; None for all.
    """

    def __init__(self, own: Callable[[Rows], Rows] | None = None) -> None:
        self._own = own
        self._pool: ThreadPoolExecutor | None = None
        self._pending: deque[tuple[Examples, Rows, Future[Batch]]] = deque()

    def submit(self, examples: Examples, rows: Rows) -> None:
        """Starts to read rows."""
        self._pool = self._pool or ThreadPoolExecutor(AHEAD, thread_name_prefix="prefetch")
        self._pending.append((examples, rows, self._pool.submit(self._read, examples, rows)))

    def take(self, examples: Examples, rows: Rows) -> Batch:
        """Returns rows. If they were submitted, earlier submissions that were not taken are cancelled.

        Rows that were not submitted, such as the first ones, are read here, while later ones are read in the threads.

        Raises:
            SpecError: If one cannot be read.
        """
        place = next((i for i, (of, at, _) in enumerate(self._pending) if of is examples and at is rows), None)
        if place is None:
            return self._read(examples, rows)
        for _ in range(place):
            self._pending.popleft()[2].cancel()
        return self._pending.popleft()[2].result()

    def _read(self, examples: Examples, rows: Rows) -> Batch:
        return examples.batch((rows if self._own is None else self._own(rows)).ravel())
