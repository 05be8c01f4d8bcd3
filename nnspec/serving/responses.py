"""JSON responses, error responses, and responses whose memory is tracked until they are sent."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from nnspec.serving.budget import Budget, Reservation
from nnspec.serving.errors import RequestError

_PART = 64 * 1024
"""Bytes written to a connection at a time. The next part waits until most of the previous one was sent."""

_MIN_RATE = 64 * 1024
"""Minimum bytes per second at which a client must read a long response."""


class TrackedResponse(Response):
    """A response whose bytes count against the memory limit until the client has read them.

    Args:
        content: The body.
        headers: The headers.
        budget: The budget of the request; all of its memory except that of the response is released.
        seconds: The time after which a client that reads nothing is disconnected.
    """

    def __init__(self, content: bytes | bytearray, headers: Mapping[str, str], budget: Budget, seconds: float) -> None:
        super().__init__(b"", 200, {**headers, "Content-Length": str(len(content))})
        self._content = content
        self._seconds = seconds
        self._memory = budget.memory
        budget.memory = Reservation(budget.memory._memory)
        if self._memory.size > len(content):
            self._memory.release(self._memory.size - len(content))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        view = memoryview(self._content)
        try:
            seconds = self._seconds + len(view) / _MIN_RATE if len(view) > _PART else None
            async with asyncio.timeout(seconds):
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                for start in range(0, max(1, len(view)), _PART):
                    last = start + _PART >= len(view)
                    await send({"type": "http.response.body", "body": view[start : start + _PART], "more_body": not last})
        except TimeoutError:
            scope["state"]["connection"].abort()
        finally:
            self._memory.release()


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Create a JSON response."""
    return Response(orjson.dumps(value), status, dict(headers or {}), "application/json")


def error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Create an error response, ``{"error": …}``."""
    return json_response({"error": message}, status, headers)


def refusal(refused: RequestError) -> Response:
    """Create the error response of a rejected request."""
    return error(refused.status, refused.message, refused.headers)


def compressed(body: bytes | bytearray, accepted: str) -> tuple[bytes | bytearray, str | None]:
    """Compress a body if the client accepts it and it is not small; returns the body and its encoding."""
    if len(body) < 4096:
        return body, None
    codings = {part.partition(";")[0].strip().lower() for part in accepted.split(",") if "q=0" not in part.replace("q=0.", "")}
    coding = next((coding for coding in ("gzip", "deflate") if coding in codings), None)
    if coding is None:
        return body, None
    compressor = zlib.compressobj(1, zlib.DEFLATED, 31 if coding == "gzip" else 15)
    return compressor.compress(body) + compressor.flush(), coding
