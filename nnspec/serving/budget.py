"""What one request may use: memory, time, rows and values; asked before anything large is made of its body."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from nnspec.serving.memory import Room
from nnspec.serving.refusals import Refused, too_late
from nnspec.serving.work import LARGE

__all__ = ["Budget"]

BYTES_A_VALUE = 72
"""What a value of a row takes at most: a Python object, its places in a list and in arrays (measured, tests/serving)."""


_ALONE = threading.Lock()


@dataclass
class Budget:
    """What one request may use.

    Attributes:
        room: Its memory.
        seconds: The time that it was given.
        until: When that is over, by `time.monotonic`.
        rows: The most rows.
        values: The most values: numbers, words, and the characters of texts.
    """

    room: Room
    seconds: float
    until: float
    rows: int
    values: int

    @property
    def left(self) -> float:
        """Seconds that are left, at least 0."""
        return max(0.0, self.until - time.monotonic())

    def shorten(self, seconds: float) -> None:
        """Gives it less time, where the client wants its answer sooner."""
        if seconds < self.seconds:
            self.until -= self.seconds - seconds
            self.seconds = seconds

    @contextmanager
    def alone(self, size: int) -> Iterator[None]:
        """Within it, no other large request holds the interpreter for long: small ones wait for one of them at most.

        Raises:
            Refused: With 504, where the time is over before that.
        """
        if size < LARGE:
            yield
            return
        if not _ALONE.acquire(timeout=self.left):
            raise too_late(self.seconds)
        try:
            yield
        finally:
            _ALONE.release()

    def require_time(self) -> None:
        """Raises Refused, with 504, where the time is over."""
        if time.monotonic() > self.until:
            raise too_late(self.seconds)

    def require_rows(self, rows: int) -> None:
        """Raises Refused, with 413, where there are too many rows."""
        if rows > self.rows:
            raise Refused(
                413,
                f"the request has more than {self.rows:,} rows, this server's limit (--max-rows); send fewer at once",
            )

    def require_values(self, values: int, text: bool = False) -> None:
        """Raises Refused, with 413, where there are too many values."""
        if values > self.values:
            what = "characters of text" if text else "values"
            raise Refused(
                413,
                f"the request has more than {self.values:,} {what}, this server's limit (--max-values); send fewer at once",
            )
