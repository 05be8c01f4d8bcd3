"""A connection: uvicorn's, with limits on what comes before a request's body and on unread answers, and errors as JSON.

Where as many connections are open as are allowed, a new one takes the place of the oldest that waits for its client: to ask, to
send the rest of a body, or to read an answer. A few more are let in to ask for the server's health alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, ClassVar

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from nnspec.serving.settings import Settings

__all__ = ["HEALTH", "limited"]

HEALTH = ("/v2/health/live", "/v2/health/ready")
"""Paths that are always answered."""

_HEAD_BYTES = 64 * 1024
_LINGER = 5.0
"""Seconds for which the rest of a body is read, and thrown away, after its request has been answered: many clients read the
answer only then."""

_LAST_WORD = 1.0
"""Seconds for which an open connection is still listened to when the server ends."""

_FOR_HEALTH = 64
"""Connections beyond those that are allowed, which may ask for the server's health."""

_SLOW = 1.0
"""Seconds after which a body that is not yet there is one that its client is slow to send."""

_MOST_PIPELINED = 16
"""Requests that may wait on one connection behind the one that is being answered."""

_WRITE_BUFFER = 64 * 1024
"""Unread bytes from which no more is written to a connection."""


def limited(settings: Settings) -> type[HttpToolsProtocol]:
    """The class of connections with the limits of some settings."""
    return type("Limited", (_Limited,), {"settings": settings})


class _Limited(HttpToolsProtocol):
    settings: ClassVar[Settings]
    _timer: asyncio.TimerHandle | None = None
    _unsent_timer: asyncio.TimerHandle | None = None
    _unsent = 0
    _head = 0
    _in_head = _in_body = False
    _waits_since = 0.0
    """When it began to wait for its client, where it does."""
    _for_health = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(_WRITE_BUFFER)
        self._waits_since = self.loop.time()
        self._take_a_place()
        self._within(self.settings.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        if self._unsent_timer is not None:
            self._unsent_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._head += len(data)
        super().data_received(data)
        if self._head > _HEAD_BYTES and not self._in_body and not self.transport.is_closing():
            self._refuse(431, f"the head of a request may have {_HEAD_BYTES:,} bytes")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._within(self.settings.header_seconds)

    def on_headers_complete(self) -> None:
        self._stop()
        self._in_head, self._in_body, self._head = False, True, 0
        if self.transport.is_closing():
            return
        if len(self.pipeline) >= _MOST_PIPELINED:
            self._refuse(503, "too many requests at once on one connection", b"retry-after: 1\r\n")
            return
        if self._for_health and self.url.partition(b"?")[0].decode("latin-1") not in HEALTH:
            self._refuse(503, "too many connections; try again later", b"retry-after: 1\r\n")
            return
        self._waits_since = self.loop.time()
        self.scope["state"]["connection"] = self
        super().on_headers_complete()
        self.cycle.keep_alive &= not self._for_health

    def on_body(self, body: bytes) -> None:
        if self.cycle is not None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        self._head = 0
        self._stop()
        if self.cycle is not None:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._waits_since = self.loop.time()
        self._watch_unsent()
        if self._in_body and not self.transport.is_closing():
            self._within(_LINGER)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_unsent()

    def shutdown(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            # A request may be on its way: the client could not know.
            self._within(_LAST_WORD)
        else:
            self.cycle.keep_alive = False

    def abort(self) -> None:
        """Ends it now; what is not sent is lost."""
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        del msg
        self._refuse(400, "this is no HTTP request")

    def waits_for(self, now: float) -> str | None:
        """What of its client it waits for, ``request``, ``body`` or ``reading``; None where it is being answered."""
        if self.cycle is not None and not self.cycle.response_complete:
            is_slow = self.cycle.more_body and now - self._waits_since > _SLOW
            return "reading" if self.flow.write_paused else "body" if is_slow else None
        return "request"

    def _take_a_place(self) -> None:
        """Closes another connection where there are too many: one that waits for its client; else this is one for health."""
        others = [one for one in self.connections if one is not self and not one.transport.is_closing()]
        plain = [one for one in others if not one._for_health]  # type: ignore[attr-defined]
        if len(plain) < self.settings.connections or self._replaces_one_of(plain):
            return
        self._for_health = True
        if len(others) - len(plain) >= _FOR_HEALTH and not self._replaces_one_of(set(others).difference(plain)):
            self.abort()

    def _replaces_one_of(self, others: Iterable[Any]) -> bool:
        now = self.loop.time()
        waiting = [
            (kind != "request", one._waits_since, i, one) for i, one in enumerate(others) if (kind := one.waits_for(now))
        ]
        if waiting:
            min(waiting)[-1]._make_way()
        return bool(waiting)

    def _make_way(self) -> None:
        if (self.cycle is not None and not self.cycle.response_complete) or self.transport.get_write_buffer_size():
            self.abort()
        else:
            self.transport.close()

    def _within(self, seconds: float) -> None:
        self._stop()
        self._timer = self.loop.call_later(seconds, self._late)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        # Whoever has said nothing is not told anything.
        if self._in_head:
            self._refuse(408, f"the head of the request did not come within {self.settings.header_seconds:g} s")
        elif not self.transport.is_closing():
            self.transport.close()
            self._watch_unsent()

    def _watch_unsent(self) -> None:
        """Ends the connection when its client has taken nothing of what was written for a while."""
        if self._unsent_timer is None:
            self._unsent = self.transport.get_write_buffer_size()
            self._unsent_timer = self.loop.call_later(self.settings.write_seconds, self._look_at_unsent)

    def _look_at_unsent(self) -> None:
        self._unsent_timer = None
        left = self.transport.get_write_buffer_size()
        if left and (left >= self._unsent or self.transport.is_closing()):
            self.abort()
        elif left:
            self._watch_unsent()

    def _refuse(self, status: int, message: str, header: bytes = b"") -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()  # the answer to the request before is not finished
        else:
            body = orjson.dumps({"error": message})
            head = b"content-type: application/json\r\nx-content-type-options: nosniff\r\nconnection: close\r\n"
            length = b"content-length: %d\r\n\r\n" % len(body)
            self.transport.write(STATUS_LINE[status] + header + head + length + body)
            self.transport.close()
        self._watch_unsent()
