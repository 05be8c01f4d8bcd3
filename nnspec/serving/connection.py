"""HTTP connections: uvicorn's protocol with limits on headers and unread responses, and with JSON errors.

When the maximum number of connections is open, a new one replaces the one that has waited longest for its client to send a
request, send a body, or read a response. A few additional connections are accepted for health checks only.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from nnspec.serving.connection_slots import HEALTH_PATHS, ConnectionSlots
from nnspec.serving.settings import Settings

_HEAD_BYTES = 64 * 1024
_OVERHEAD_BYTES = 64 * 1024
"""Bytes allowed between two parts of a body: trailers and chunk extensions."""

_MAX_HEADERS = 256

_LINGER = 5.0
"""Seconds to read and discard the rest of a body after its request was answered. Many clients read the response only after
sending the whole body."""

_SHUTDOWN_GRACE = 1.0
"""Seconds an idle connection stays open when the server shuts down."""

_MAX_PIPELINED = 4
"""Maximum number of pipelined requests waiting on one connection."""

_WRITE_BUFFER = 64 * 1024
"""Unread bytes at which writing to a connection pauses."""


def limited(settings: Settings) -> type[HttpToolsProtocol]:
    """Create the protocol class with the limits of the settings."""
    return type("Limited", (_Limited,), {"settings": settings, "slots": ConnectionSlots(settings.connections)})


class _IsClosingError(Exception):
    """Stops the parser on a connection that is being closed."""


class _Limited(HttpToolsProtocol):
    settings: ClassVar[Settings]
    slots: ClassVar[ConnectionSlots]
    _timer: asyncio.TimerHandle | None = None
    _unsent_timer: asyncio.TimerHandle | None = None
    _unsent = 0
    _unsent_since = 0.0
    _head = _overhead = 0
    _in_head = _in_body = False
    _accepts_data = True
    _slot: str | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(_WRITE_BUFFER)
        self._slot = self.slots.acquire(self)
        if self._slot is None:
            self.abort()
            return
        self.slots.set_waiting(self, "request")
        self._set_timeout(self.settings.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timeout()
        self.slots.release(self)
        if self._unsent_timer is not None:
            self._unsent_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing() or not self._accepts_data:
            return
        self._head += len(data)
        self._overhead += len(data)
        super().data_received(data)
        if self._in_body and self._overhead > _OVERHEAD_BYTES and not self.transport.is_closing():
            # Trailers and chunk extensions are unused, and the parser buffers them.
            self._refuse(431, f"trailers and chunk extensions may have at most {_OVERHEAD_BYTES:,} bytes")
        if self._head > _HEAD_BYTES and not self._in_body and not self.transport.is_closing():
            self._refuse(431, f"the request headers may have at most {_HEAD_BYTES:,} bytes")

    def on_message_begin(self) -> None:
        if self.transport.is_closing():
            raise _IsClosingError
        super().on_message_begin()
        self._in_head = True
        self._set_timeout(self.settings.header_seconds)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > _MAX_HEADERS:
            self._refuse(431, f"a request may have at most {_MAX_HEADERS} headers, including trailers")
            raise _IsClosingError

    def on_headers_complete(self) -> None:
        self._cancel_timeout()
        self._in_head, self._in_body, self._head, self._overhead = False, True, 0, 0
        if len(self.pipeline) >= _MAX_PIPELINED:
            # Answer the previous requests, and close the connection with the last response.
            self.cycle.keep_alive = self._in_body = False
            self._accepts_data = False
            raise _IsClosingError
        if self._slot == "health" and self.url.partition(b"?")[0].decode("latin-1") not in HEALTH_PATHS:
            self._refuse(503, "too many connections; try again later", b"retry-after: 1\r\n")
            raise _IsClosingError
        self.slots.set_waiting(self, "body")
        self.scope["state"]["connection"] = self
        super().on_headers_complete()
        self.cycle.keep_alive &= self._slot != "health"

    def on_body(self, body: bytes) -> None:
        self._overhead = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        self._head = 0
        self._cancel_timeout()
        self.slots.set_waiting(self, None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.slots.set_waiting(self, "request" if self.cycle.response_complete else None)
        self._watch_unsent()
        if self._in_body and not self.transport.is_closing():
            self._set_timeout(_LINGER)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.slots.set_waiting(self, "response")
        self._watch_unsent()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.slots.set_waiting(self, "request" if self.cycle is None or self.cycle.response_complete else None)

    def shutdown(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            # A request may be in transit: the client does not know about the shutdown.
            self._set_timeout(_SHUTDOWN_GRACE)
        else:
            self.cycle.keep_alive = False

    def abort(self) -> None:
        """Close the connection immediately and discard unsent data."""
        self.transport.abort()

    def evict(self) -> None:
        """Close the connection to make room for another."""
        if self.transport.get_write_buffer_size() or (self.cycle is not None and not self.cycle.response_complete):
            self.abort()
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        del msg
        if self._accepts_data and not self.transport.is_closing():
            self._refuse(400, "invalid HTTP request")

    def _set_timeout(self, seconds: float) -> None:
        self._cancel_timeout()
        self._timer = self.loop.call_later(seconds, self._on_timeout)

    def _cancel_timeout(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timeout(self) -> None:
        # A connection on which nothing was received is closed without a response.
        if self._in_head:
            self._refuse(408, f"the request headers were not received within {self.settings.header_seconds:g} s")
        elif not self.transport.is_closing():
            self.transport.close()
            self._watch_unsent()

    def _watch_unsent(self) -> None:
        """Close the connection if its client does not read the response."""
        if self._unsent_timer is None:
            self._unsent, self._unsent_since = self.transport.get_write_buffer_size(), self.loop.time()
            self._schedule_check()

    def _schedule_check(self) -> None:
        self._unsent_timer = self.loop.call_later(self.settings.write_seconds / 4, self._check_unsent)

    def _check_unsent(self) -> None:
        self._unsent_timer = None
        left, now = self.transport.get_write_buffer_size(), self.loop.time()
        if left < self._unsent:
            self._unsent_since = now
        self._unsent = left
        if left and now - self._unsent_since >= self.settings.write_seconds - 0.01:
            self.abort()
        elif left:
            self._schedule_check()

    def _refuse(self, status: int, message: str, header: bytes = b"") -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()  # the response to the previous request is incomplete
        else:
            body = orjson.dumps({"error": message})
            head = b"content-type: application/json\r\nx-content-type-options: nosniff\r\nconnection: close\r\n"
            length = b"content-length: %d\r\n\r\n" % len(body)
            self.transport.write(STATUS_LINE[status] + header + head + length + body)
            self.transport.close()
        self._watch_unsent()
