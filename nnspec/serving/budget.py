"""The budget of a request: memory, time, rows, and values, checked before large objects are created."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from nnspec.serving.errors import RequestError, deadline_exceeded
from nnspec.serving.memory import Reservation
from nnspec.serving.thread_pools import LARGE

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
