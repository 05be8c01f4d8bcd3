"""Connection slots: if all are in use, a new connection replaces one that is waiting for its client."""

from __future__ import annotations

import time
from typing import Literal, Protocol

HEALTH_PATHS = ("/v2/health/live", "/v2/health/ready")
"""Paths that are always served."""

Wait = Literal["request", "body", "response"]
"""What a connection waits for: a request, the rest of a body, or the client reading the response."""

_ORDER: tuple[Wait, ...] = ("request", "body", "response")
_SLOW = 1.0
"""Seconds after which a client that has not sent its body, or not read its response, counts as slow."""

_HEALTH_CONNECTIONS = 64
"""Number of additional connections for health checks only."""


class Connection(Protocol):
    """A connection that occupies a slot."""

    def evict(self) -> None:
        """Close the connection."""


class _Group:
    """A limited number of connections, with the waiting ones by what they wait for, longest first."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.members: set[Connection] = set()
        self.waiting: dict[Wait, dict[Connection, float]] = {kind: {} for kind in _ORDER}

    def has_room(self) -> bool:
        """Whether a slot is free, after evicting a waiting connection if necessary."""
        if len(self.members) < self.limit:
            return True
        now = time.monotonic()
        for kind, waiting in self.waiting.items():
            first = next(iter(waiting), None)
            if first is not None and (kind == "request" or now - waiting[first] > _SLOW):
                self.remove(first)
                first.evict()
                return True
        return False

    def remove(self, one: Connection) -> None:
        self.members.discard(one)
        for waiting in self.waiting.values():
            waiting.pop(one, None)


class ConnectionSlots:
    """The connection slots of a server.

    Args:
        limit: The maximum number of open connections, besides those for health checks.
    """

    def __init__(self, limit: int) -> None:
        self._all = _Group(limit)
        self._health = _Group(_HEALTH_CONNECTIONS)

    def acquire(self, one: Connection) -> Literal["all", "health"] | None:
        """Assign a slot to a new connection: for all requests, for health checks only, or none."""
        if self._all.has_room():
            self._all.members.add(one)
            return "all"
        if self._health.has_room():
            self._health.members.add(one)
            return "health"
        return None

    def set_waiting(self, one: Connection, kind: Wait | None) -> None:
        """Record what a connection waits for; None while the server processes its request."""
        group = self._health if one in self._health.members else self._all
        if one in group.members:
            for waiting in group.waiting.values():
                waiting.pop(one, None)
            if kind is not None:
                group.waiting[kind][one] = time.monotonic()

    def release(self, one: Connection) -> None:
        """Free the slot of a connection."""
        self._all.remove(one)
        self._health.remove(one)
