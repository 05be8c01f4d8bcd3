"""A connection: uvicorn's, with limits on what comes before a request's body and on unread answers, and errors as JSON.

Where as many connections are open as are allowed, a new one takes the place of the oldest that waits for its client: to ask, to
send the rest of a body, or to read an answer. A few more are let in to ask for the server's health alone.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from nnspec.serving.places import HEALTH, Places
from nnspec.serving.settings import Settings

__all__ = ["limited"]

_HEAD_BYTES = 64 * 1024
_QUIET_BYTES = 64 * 1024
"""Bytes that may come in place of a body's next part: trailers, and extensions of a chunk."""

_MOST_HEADERS = 256

_LINGER = 5.0
"""Seconds for which the rest of a body is read, and thrown away, after its request has been answered: many clients read the
answer only then."""

_LAST_WORD = 1.0
"""Seconds for which an open connection is still listened to when the server ends."""

_MOST_PIPELINED = 4
"""Requests that may wait on one connection behind the one that is being answered."""

_WRITE_BUFFER = 64 * 1024
"""Unread bytes from which no more is written to a connection."""


def limited(settings: Settings) -> type[HttpToolsProtocol]:
    """The class of connections with the limits of some settings."""
    return type("Limited", (_Limited,), {"settings": settings, "places": Places(settings.connections)})


class _IsClosingError(Exception):
    """Ends the parsing of what else has come on a connection that is being closed."""


class _Limited(HttpToolsProtocol):
    settings: ClassVar[Settings]
    places: ClassVar[Places]
    _timer: asyncio.TimerHandle | None = None
    _unsent_timer: asyncio.TimerHandle | None = None
    _unsent = 0
    _unsent_since = 0.0
    _head = _quiet = 0
    _in_head = _in_body = False
    _hears = True
    _place: str | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(_WRITE_BUFFER)
        self._place = self.places.enter(self)
        if self._place is None:
            self.abort()
            return
        self.places.waits(self, "to ask")
        self._within(self.settings.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        self.places.leave(self)
        if self._unsent_timer is not None:
            self._unsent_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing() or not self._hears:
            return
        self._head += len(data)
        self._quiet += len(data)
        super().data_received(data)
        if self._in_body and self._quiet > _QUIET_BYTES and not self.transport.is_closing():
            # Trailers and extensions of chunks: nobody reads them, and the parser keeps them.
            self._refuse(
                431, f"a body may have {_QUIET_BYTES:,} bytes that are none of it between two chunks, or behind the last"
            )
        if self._head > _HEAD_BYTES and not self._in_body and not self.transport.is_closing():
            self._refuse(431, f"the head of a request may have {_HEAD_BYTES:,} bytes")

    def on_message_begin(self) -> None:
        if self.transport.is_closing():
            raise _IsClosingError
        super().on_message_begin()
        self._in_head = True
        self._within(self.settings.header_seconds)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > _MOST_HEADERS:
            self._refuse(431, f"a request may have {_MOST_HEADERS} headers, trailers included")
            raise _IsClosingError

    def on_headers_complete(self) -> None:
        self._stop()
        self._in_head, self._in_body, self._head, self._quiet = False, True, 0, 0
        if len(self.pipeline) >= _MOST_PIPELINED:
            # Those before it are answered, the last with the word that nothing more is.
            self.cycle.keep_alive = self._in_body = False
            self._hears = False
            raise _IsClosingError
        if self._place == "health" and self.url.partition(b"?")[0].decode("latin-1") not in HEALTH:
            self._refuse(503, "too many connections; try again later", b"retry-after: 1\r\n")
            raise _IsClosingError
        self.places.waits(self, "to send")
        self.scope["state"]["connection"] = self
        super().on_headers_complete()
        self.cycle.keep_alive &= self._place != "health"

    def on_body(self, body: bytes) -> None:
        self._quiet = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        self._head = 0
        self._stop()
        self.places.waits(self, None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.places.waits(self, "to ask" if self.cycle.response_complete else None)
        self._watch_unsent()
        if self._in_body and not self.transport.is_closing():
            self._within(_LINGER)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.places.waits(self, "to read")
        self._watch_unsent()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.places.waits(self, "to ask" if self.cycle is None or self.cycle.response_complete else None)

    def shutdown(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            # A request may be on its way: the client could not know.
            self._within(_LAST_WORD)
        else:
            self.cycle.keep_alive = False

    def abort(self) -> None:
        """Ends it now; what is not sent is lost."""
        self.transport.abort()

    def make_way(self) -> None:
        """Closes it for another."""
        if self.transport.get_write_buffer_size() or (self.cycle is not None and not self.cycle.response_complete):
            self.abort()
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        del msg
        if self._hears and not self.transport.is_closing():
            self._refuse(400, "this is no HTTP request")

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
            self._unsent, self._unsent_since = self.transport.get_write_buffer_size(), self.loop.time()
            self._look_later()

    def _look_later(self) -> None:
        self._unsent_timer = self.loop.call_later(self.settings.write_seconds / 4, self._look_at_unsent)

    def _look_at_unsent(self) -> None:
        self._unsent_timer = None
        left, now = self.transport.get_write_buffer_size(), self.loop.time()
        if left < self._unsent:
            self._unsent_since = now
        self._unsent = left
        if left and now - self._unsent_since >= self.settings.write_seconds - 0.01:
            self.abort()
        elif left:
            self._look_later()

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
