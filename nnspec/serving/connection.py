"""A connection: uvicorn's, with limits on what comes before a request's body, and errors as JSON."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

__all__ = ["limited"]

_HEAD_BYTES = 64 * 1024
_LINGER = 5.0
"""Seconds for which the rest of a body is read, and thrown away, after its request has been answered: many clients read the
answer only then."""

_LAST_WORD = 1.0
"""Seconds for which an open connection is still listened to when the server ends."""


def limited(connections: int, header_seconds: float) -> type[HttpToolsProtocol]:
    """The class of connections with these limits.

    Args:
        connections: How many may be open at once.
        header_seconds: Within which a request's head must have come.
    """
    return type("Limited", (_Limited,), {"most": connections, "header_seconds": header_seconds})


class _Limited(HttpToolsProtocol):
    most: ClassVar[int]
    header_seconds: ClassVar[float]
    _timer: asyncio.TimerHandle | None = None
    _head = 0
    _in_head = _in_body = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self._refuse(503, "too many connections; try again later", b"retry-after: 1\r\n")
        else:
            self._within(self.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
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
        self._within(self.header_seconds)

    def on_headers_complete(self) -> None:
        self._stop()
        self._in_head, self._in_body, self._head = False, True, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_body = False
        self._head = 0
        self._stop()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._in_body and not self.transport.is_closing():
            self._within(_LINGER)

    def shutdown(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            # A request may be on its way: the client could not know.
            self._within(_LAST_WORD)
        else:
            self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:
        del msg
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
            self._refuse(408, f"the head of the request did not come within {self.header_seconds:g} s")
        elif not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, status: int, message: str, header: bytes = b"") -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self.transport.close()  # the answer to the request before is not finished
            return
        body = orjson.dumps({"error": message})
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + header + head + body)
        self.transport.close()
