"""Makes the values of the next call while the steps of this one run, where they are made as they are used."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

from nnspec.data.examples import Batch, Examples
from nnspec.training.backends.base import Rows

__all__ = ["Prefetcher"]


class Prefetcher:
    """The values of some rows, made by a thread before they are asked for. They are those that would be made then."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._coming: deque[tuple[Examples, Rows, Future[Batch]]] = deque()

    def submit(self, examples: Examples, rows: Rows) -> None:
        """Begins to make the values of rows."""
        self._pool = self._pool or ThreadPoolExecutor(1, thread_name_prefix="prefetch")
        self._coming.append((examples, rows, self._pool.submit(examples.batch, rows.ravel())))

    def take(self, examples: Examples, rows: Rows) -> Batch:
        """The values of rows. Those of others that were begun before them are given up.

        Raises:
            SpecError: If one cannot be read.
        """
        while self._coming:
            of, at, batch = self._coming.popleft()
            if of is examples and at is rows:
                return batch.result()
            batch.cancel()
        return examples.batch(rows.ravel())
