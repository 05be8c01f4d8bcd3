"""The places of a server's connections: where all are taken, one that waits for its client makes way for a new one."""

from __future__ import annotations

import time
from typing import Literal, Protocol

__all__ = ["HEALTH", "Places", "Wait"]

HEALTH = ("/v2/health/live", "/v2/health/ready")
"""Paths that are always answered."""

Wait = Literal["to ask", "to send", "to read"]
"""What a connection waits for its client to do."""

_ORDER: tuple[Wait, ...] = ("to ask", "to send", "to read")
_SLOW = 1.0
"""Seconds after which a body that is not yet there, or an answer that is not yet read, is one that its client is slow with."""

_FOR_HEALTH = 64
"""Connections beyond those that are allowed, which may ask for the server's health alone."""


class Connection(Protocol):
    """What has a place."""

    def make_way(self) -> None:
        """Closes it."""


class _Group:
    """Connections that may be as many as a limit, those that wait by what they wait for, the longest first."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.members: set[Connection] = set()
        self.waiting: dict[Wait, dict[Connection, float]] = {kind: {} for kind in _ORDER}

    def has_room(self) -> bool:
        """Whether there is a place, or one that waits can be made to leave."""
        if len(self.members) < self.most:
            return True
        now = time.monotonic()
        for kind, waiting in self.waiting.items():
            first = next(iter(waiting), None)
            if first is not None and (kind == "to ask" or now - waiting[first] > _SLOW):
                self.remove(first)
                first.make_way()
                return True
        return False

    def remove(self, one: Connection) -> None:
        self.members.discard(one)
        for waiting in self.waiting.values():
            waiting.pop(one, None)


class Places:
    """The places of a server's connections.

    Args:
        most: How many may be open, beside a few that ask for the server's health.
    """

    def __init__(self, most: int) -> None:
        self._all = _Group(most)
        self._for_health = _Group(_FOR_HEALTH)

    def enter(self, one: Connection) -> Literal["all", "health"] | None:
        """Gives a new connection a place: for all it may ask, for the server's health alone, or none."""
        if self._all.has_room():
            self._all.members.add(one)
            return "all"
        if self._for_health.has_room():
            self._for_health.members.add(one)
            return "health"
        return None

    def waits(self, one: Connection, kind: Wait | None) -> None:
        """Notes what a connection waits for its client to do; None where the client waits for it."""
        group = self._for_health if one in self._for_health.members else self._all
        if one in group.members:
            for waiting in group.waiting.values():
                waiting.pop(one, None)
            if kind is not None:
                group.waiting[kind][one] = time.monotonic()

    def leave(self, one: Connection) -> None:
        """Takes a connection's place away."""
        self._all.remove(one)
        self._for_health.remove(one)
