"""Reads bodies within limits: of each one's size, of all together, and of time."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import ClientDisconnect, Request

from nnspec.serving.budget import Budget
from nnspec.serving.memory import Memory
from nnspec.serving.refusals import Refused, left, too_large
from nnspec.serving.settings import Settings
from nnspec.serving.work import Work

__all__ = ["Bodies", "Content"]

Content = bytes | bytearray
"""A body. Nobody changes it."""

_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_INLINE = 1024
"""Bytes that are unpacked at once, to at most a megabyte; more go into a thread, so that the loop goes on."""

_FREE = 2**20
"""Bytes that any body may unpack to, however small it is."""

_STEP = 256 * 1024


class Bodies:
    """Reads the bodies of requests.

    Args:
        settings: The limits.
        work: Where what takes long is done.
    """

    def __init__(self, settings: Settings, work: Work) -> None:
        self._settings = settings
        self._work = work
        self.memory = Memory(settings.held_bytes)

    @property
    def held(self) -> int:
        """The bytes that all requests hold now."""
        return self.memory.held

    @contextmanager
    def budget(self) -> Iterator[Budget]:
        """What a request that has come now may use.

        Its memory is given back at the end, but for what was handed over to the answer
        ([`HeldAnswer`][nnspec.serving.responses.HeldAnswer]).
        """
        own = self._settings
        room = self.memory.room()
        budget = Budget(room, own.deadline, time.monotonic() + own.deadline, own.max_rows, own.max_values)
        try:
            yield budget
        finally:
            if budget.room is room:
                room.give_back()

    async def read(self, request: Request, budget: Budget) -> Content:
        """A request's body, unpacked.

        Raises:
            Refused: Where it is too large, comes too slowly, is packed wrongly, or there is no room for it.
        """
        body = await self._received(request, budget)
        coding = request.headers.get("content-encoding", "identity").strip().lower()
        if coding == "identity":
            return body
        if coding not in _WINDOWS:
            raise Refused(415, f"the content encoding {coding[:40]!r} is not supported; use gzip or deflate")
        unpack = _Unpacking(coding, self._settings.max_bytes, self._settings.max_ratio, budget)
        if len(body) <= _INLINE:
            unpacked = unpack(body)
        else:
            unpacked = await self._work.run(self._settings.max_bytes, unpack, body)
        budget.room.give_back(len(body))
        return unpacked

    async def _received(self, request: Request, budget: Budget) -> Content:
        most = self._settings.max_bytes
        declared = request.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > most:
            raise too_large(most)
        seconds = self._settings.body_seconds
        body: Content = b""
        try:
            async with asyncio.timeout(seconds):
                async for part in request.stream():
                    if len(body) + len(part) > most:
                        raise too_large(most)
                    budget.room.take(len(part))
                    if not body:
                        body = part
                    elif part:
                        body = bytearray(body) if isinstance(body, bytes) else body
                        body += part
        except TimeoutError:
            raise Refused(408, f"the body did not come within {seconds:g} s", {"Connection": "close"}) from None
        except ClientDisconnect:
            raise left() from None
        return body


class _Unpacking:
    """Unpacks a body, some of it at a time, its memory counted before it is taken."""

    def __init__(self, coding: str, most: int, ratio: int, budget: Budget) -> None:
        self._coding = coding
        self._most = most
        self._ratio = ratio
        self._budget = budget

    def __call__(self, body: Content) -> bytearray:
        most = min(self._most, max(_FREE, self._ratio * len(body)))
        said = self._said_size(body)
        if said is not None:
            self._require(said, most)
        unpacker = zlib.decompressobj(_WINDOWS[self._coding])
        found = bytearray()
        view = memoryview(body)
        place = 0
        while not unpacker.eof and (place < len(view) or unpacker.unconsumed_tail):
            self._budget.require_time()
            rest = unpacker.unconsumed_tail
            if not rest:
                rest = view[place : place + _STEP]  # type: ignore[assignment]
                place += _STEP
            try:
                part = unpacker.decompress(rest, _STEP)
            except zlib.error:
                raise Refused(400, f"the body is not what its content encoding says, {self._coding}") from None
            if said is not None and len(found) + len(part) > said:
                break
            self._require(len(found) + len(part), most)
            self._budget.room.take(len(part))
            found += part
        if not unpacker.eof or unpacker.unused_data or place < len(view) or (said is not None and len(found) != said):
            raise Refused(400, f"the body's {self._coding} is cut short, has bytes behind its end, or lies about its size")
        return found

    def _said_size(self, body: Content) -> int | None:
        """What a body says it becomes: a bomb that does not lie is refused before any of it is unpacked."""
        if self._coding == "deflate":
            return None
        if not body.startswith(b"\x1f\x8b"):
            raise Refused(400, f"the body is not what its content encoding says, {self._coding}")
        return int.from_bytes(body[-4:], "little")

    def _require(self, size: int, most: int) -> None:
        if size > self._most:
            raise too_large(self._most, "the unpacked body")
        if size > most:
            raise Refused(
                413,
                f"the body unpacks to more than {self._ratio} times its size, the most that this server takes (--max-ratio); "
                "send it plain",
            )
