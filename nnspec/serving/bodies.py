"""Reads bodies within limits: of each one's size, of all together, and of time."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect, Request

from nnspec.serving.refusals import Refused, left, overloaded, too_large

__all__ = ["Bodies", "packed"]

_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_INLINE = 1024
"""Bytes that are unpacked at once, to at most a megabyte; more go into a thread, so that the loop goes on."""

_MOST_PACKED = 1032
"""How many bytes deflate packs into one, at most."""


class Bodies:
    """The room for bodies.

    Args:
        most: The most bytes of one, unpacked.
        together: The most bytes of all that are being answered.
        seconds: Within which one must have come.
    """

    def __init__(self, most: int, together: int, seconds: float) -> None:
        self._most = most
        self._together = together
        self._seconds = seconds
        self.held = 0

    @asynccontextmanager
    async def read(self, request: Request) -> AsyncIterator[bytes]:
        """A request's body, unpacked; its room is given back at the end.

        Raises:
            Refused: Where it is too large, comes too slowly, is packed wrongly, or there is no room for it.
        """
        mark = _Room(self)
        try:
            body = await self._received(request, mark)
            coding = request.headers.get("content-encoding", "identity").strip().lower()
            if coding != "identity":
                if coding not in _WINDOWS:
                    raise Refused(415, f"the content encoding {coding[:40]!r} is not supported; use gzip or deflate")
                body = await self._unpacked(body, coding, mark)
            yield body
        finally:
            mark.give_back()

    async def _received(self, request: Request, room: _Room) -> bytes:
        declared = request.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > self._most:
            raise too_large(self._most)
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._seconds):
                async for part in request.stream():
                    size += len(part)
                    if size > self._most:
                        raise too_large(self._most)
                    room.take(len(part))
                    parts.append(part)
        except TimeoutError:
            raise Refused(408, f"the body did not come within {self._seconds:g} s", {"Connection": "close"}) from None
        except ClientDisconnect:
            raise left() from None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _unpacked(self, body: bytes, coding: str, room: _Room) -> bytes:
        size = _said_size(body, coding, self._most)
        if size > self._most:
            raise too_large(self._most, "the unpacked body")
        room.take(size)
        if len(body) <= _INLINE:
            return _inflated(body, coding, size)
        return await asyncio.to_thread(_inflated, body, coding, size)


class _Room:
    """What one request holds."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._size = 0

    def take(self, size: int) -> None:
        if self._bodies.held + size > self._bodies._together:
            raise overloaded("the bodies of other requests fill the memory that is kept for them")
        self._bodies.held += size
        self._size += size

    def give_back(self) -> None:
        self._bodies.held -= self._size


def _said_size(body: bytes, coding: str, most: int) -> int:
    """What a body says it becomes, or may become at most: a bomb that does not lie is refused before any of it is unpacked."""
    if coding == "deflate":
        return min(most, _MOST_PACKED * len(body))
    if not body.startswith(b"\x1f\x8b"):
        raise Refused(400, f"the body is not what its content encoding says, {coding}")
    return int.from_bytes(body[-4:], "little")


def _inflated(body: bytes, coding: str, most: int) -> bytes:
    """The bytes that a body was packed from; it is never unpacked further than one byte too many."""
    unpacker = zlib.decompressobj(_WINDOWS[coding])
    try:
        found = unpacker.decompress(body, most + 1)
    except zlib.error:
        raise Refused(400, f"the body is not what its content encoding says, {coding}") from None
    if len(found) > most and coding == "deflate":
        raise too_large(most, "the unpacked body")
    if not unpacker.eof or unpacker.unused_data or len(found) > most:
        raise Refused(400, f"the body's {coding} is cut short, has bytes behind its end, or lies about its size")
    return found


def packed(body: bytes, accepted: str) -> tuple[bytes, str | None]:
    """A response's body as the client accepts it, and the encoding; small ones are left as they are."""
    if len(body) < 4096:
        return body, None
    codings = {part.partition(";")[0].strip().lower() for part in accepted.split(",") if "q=0" not in part.replace("q=0.", "")}
    coding = next((coding for coding in ("gzip", "deflate") if coding in codings), None)
    if coding is None:
        return body, None
    packer = zlib.compressobj(1, zlib.DEFLATED, _WINDOWS[coding])
    return packer.compress(body) + packer.flush(), coding
