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
        """Returns rows; earlier submissions of other rows are cancelled.

        Raises:
            SpecError: If one cannot be read.
        """
        while self._pending:
            of, at, batch = self._pending.popleft()
            if of is examples and at is rows:
                return batch.result()
            batch.cancel()
        return self._read(examples, rows)

    def _read(self, examples: Examples, rows: Rows) -> Batch:
        return examples.batch((rows if self._own is None else self._own(rows)).ravel())
