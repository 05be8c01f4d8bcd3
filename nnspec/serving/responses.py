"""Responses: JSON, errors among them, on every path; and answers that are counted until they are read."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from nnspec.serving.budget import Budget
from nnspec.serving.memory import Room
from nnspec.serving.refusals import Refused

__all__ = ["HeldAnswer", "error", "json_response", "packed", "refusal"]

_PART = 64 * 1024
"""Bytes that are given to a connection at once: more are not until it has sent most of them."""

_SLOWEST = 64 * 1024
"""Bytes a second that a client must take of a long answer."""


class HeldAnswer(Response):
    """An answer whose bytes are counted in the shared memory until the client has read them.

    Args:
        content: Its body.
        headers: Its headers.
        budget: What the request has used; all but the answer's own bytes is given back.
        seconds: For how long a client may take nothing of it.
    """

    def __init__(self, content: bytes | bytearray, headers: Mapping[str, str], budget: Budget, seconds: float) -> None:
        super().__init__(b"", 200, {**headers, "Content-Length": str(len(content))})
        self._content = content
        self._seconds = seconds
        self._room = budget.room
        budget.room = Room(budget.room._memory)
        if self._room.size > len(content):
            self._room.give_back(self._room.size - len(content))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        view = memoryview(self._content)
        try:
            seconds = self._seconds + len(view) / _SLOWEST if len(view) > _PART else None
            async with asyncio.timeout(seconds):
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                for start in range(0, max(1, len(view)), _PART):
                    last = start + _PART >= len(view)
                    await send({"type": "http.response.body", "body": view[start : start + _PART], "more_body": not last})
        except TimeoutError:
            scope["state"]["connection"].abort()
        finally:
            self._room.give_back()


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as JSON."""
    return Response(orjson.dumps(value), status, dict(headers or {}), "application/json")


def error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """What is wrong, as ``{"error": …}``."""
    return json_response({"error": message}, status, headers)


def refusal(refused: Refused) -> Response:
    """The same of a request that was refused."""
    return error(refused.status, refused.message, refused.headers)


def packed(body: bytes | bytearray, accepted: str) -> tuple[bytes | bytearray, str | None]:
    """A response's body as the client accepts it, and the encoding; small ones are left as they are."""
    if len(body) < 4096:
        return body, None
    codings = {part.partition(";")[0].strip().lower() for part in accepted.split(",") if "q=0" not in part.replace("q=0.", "")}
    coding = next((coding for coding in ("gzip", "deflate") if coding in codings), None)
    if coding is None:
        return body, None
    packer = zlib.compressobj(1, zlib.DEFLATED, 31 if coding == "gzip" else 15)
    return packer.compress(body) + packer.flush(), coding
