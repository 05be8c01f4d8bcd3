"""The memory that all requests of a server share, and what one of them holds of it."""

from __future__ import annotations

import threading

from nnspec.serving.refusals import Refused, overloaded

__all__ = ["Memory", "Room"]

SMALL = 256 * 1024
"""Bytes up to which a request may use what is kept free of larger ones: those that hold much never lock out the others."""


class Memory:
    """A limit on the bytes that all requests being answered hold together: bodies, what is made of them, and answers.

    Args:
        limit: The most bytes; an eighth of them is kept for small requests.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self.held = 0

    def room(self) -> Room:
        """What a new request holds: nothing yet."""
        return Room(self)

    def _take(self, size: int, mine: int) -> None:
        large = self._limit - self._limit // 8
        with self._lock:
            if mine + size > SMALL and mine + size > large:
                raise Refused(
                    413,
                    f"the request needs more than {large:,} bytes of memory, the most that one may hold (--max-memory); "
                    "ask for less at once",
                )
            if self.held + size > (self._limit if mine + size <= SMALL else large):
                raise overloaded("other requests fill the memory that is kept for them (--max-memory)")
            self.held += size

    def _give_back(self, size: int) -> None:
        with self._lock:
            self.held -= size


class Room:
    """What one request holds. It may be used from several threads, one at a time."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.size = 0

    def take(self, size: int) -> None:
        """Counts bytes that are about to be allocated.

        Raises:
            Refused: With 503, where others hold too much; with 413, where this request alone does.
        """
        self._memory._take(size, self.size)
        self.size += size

    def give_back(self, size: int | None = None) -> None:
        """Counts bytes as free again, by default all."""
        size = self.size if size is None else size
        self._memory._give_back(size)
        self.size -= size
