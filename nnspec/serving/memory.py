"""Memory accounting: a limit shared by all requests of a server, and the reservation of each request."""

from __future__ import annotations

import threading

from nnspec.serving.errors import RequestError, overloaded

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
