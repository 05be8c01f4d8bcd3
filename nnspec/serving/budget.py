"""The budget of a request: memory, time, rows, and values, checked before large objects are created."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from nnspec.serving.errors import RequestError, deadline_exceeded, overloaded
from nnspec.serving.thread_pools import LARGE

SMALL = 256 * 1024
"""Requests up to this size may use memory that is reserved for small requests, so that large requests cannot block them."""


class Memory:
    """A limit on the total memory of all requests in progress: bodies, tensors, and responses.

    Args:
        limit: The limit in bytes; an eighth of it is reserved for small requests.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self.used = 0

    def reservation(self) -> Reservation:
        """Create an empty reservation."""
        return Reservation(self)

    def _reserve(self, size: int, mine: int) -> None:
        large = self._limit - self._limit // 8
        with self._lock:
            if mine + size > SMALL and mine + size > large:
                raise RequestError(
                    413,
                    f"the request needs more than {large:,} bytes of memory, this server's limit (--max-memory); "
                    "send less per request",
                )
            if self.used + size > (self._limit if mine + size <= SMALL else large):
                raise overloaded("other requests use all of the memory for requests (--max-memory)")
            self.used += size

    def _release(self, size: int) -> None:
        with self._lock:
            self.used -= size


class Reservation:
    """The memory reserved by one request. It may be used by several threads, one at a time."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.size = 0

    def reserve(self, size: int) -> None:
        """Reserve memory before it is allocated.

        Raises:
            RequestError: With 503 if other requests use too much memory; with 413 if this request alone does.
        """
        self._memory._reserve(size, self.size)
        self.size += size

    def release(self, size: int | None = None) -> None:
        """Release reserved bytes, by default all."""
        size = self.size if size is None else size
        self._memory._release(size)
        self.size -= size


BYTES_A_VALUE = 72
"""Maximum memory of a value of a row: a Python object, and its slots in a list and in arrays (measured in tests/serving)."""


_EXCLUSIVE = threading.Lock()


@dataclass
class Budget:
    """The budget of a request.

    Attributes:
        memory: The memory it has reserved.
        seconds: Its time limit.
        until: Its deadline, by `time.monotonic`.
        rows: The maximum number of rows.
        values: The maximum number of values: numbers, words, and characters of text.
    """

    memory: Reservation
    seconds: float
    until: float
    rows: int
    values: int

    @property
    def left(self) -> float:
        """The remaining seconds, at least 0."""
        return max(0.0, self.until - time.monotonic())

    def shorten(self, seconds: float) -> None:
        """Reduce the time limit if the client asks for a shorter one."""
        if seconds < self.seconds:
            self.until -= self.seconds - seconds
            self.seconds = seconds

    @contextmanager
    def exclusive(self, size: int) -> Iterator[None]:
        """Context in which no other large request runs Python code, so that small requests wait for at most one large one.

        Raises:
            RequestError: With 504, if the deadline expires first.
        """
        if size < LARGE:
            yield
            return
        if not _EXCLUSIVE.acquire(timeout=self.left):
            raise deadline_exceeded(self.seconds)
        try:
            yield
        finally:
            _EXCLUSIVE.release()

    def require_time(self) -> None:
        """Raise RequestError with 504 if the deadline has expired."""
        if time.monotonic() > self.until:
            raise deadline_exceeded(self.seconds)

    def require_rows(self, rows: int) -> None:
        """Raise RequestError with 413 if there are too many rows."""
        if rows > self.rows:
            raise RequestError(
                413,
                f"the request has more than {self.rows:,} rows, this server's limit (--max-rows); send fewer per request",
            )

    def require_values(self, values: int, text: bool = False) -> None:
        """Raise RequestError with 413 if there are too many values."""
        if values > self.values:
            what = "characters of text" if text else "values"
            raise RequestError(
                413,
                f"the request has more than {self.values:,} {what}, this server's limit (--max-values); send fewer per request",
            )
