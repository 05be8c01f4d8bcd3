"""Read request bodies within limits on size, total memory, and time."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import ClientDisconnect, Request

from nnspec.serving.budget import Budget, Memory
from nnspec.serving.errors import RequestError, body_too_large, client_disconnected
from nnspec.serving.settings import Settings
from nnspec.serving.thread_pools import ThreadPools

Content = bytes | bytearray
"""A body, treated as immutable."""

_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_INLINE = 1024
"""Bodies up to this size are decompressed inline (to at most 1 MiB), larger ones in a thread."""

_FREE = 2**20
"""Decompressed size that is always allowed, whatever the compression ratio."""

_STEP = 256 * 1024


class Bodies:
    """Reads the bodies of requests.

    Args:
        settings: The limits.
        work: The thread pools.
    """

    def __init__(self, settings: Settings, work: ThreadPools) -> None:
        self._settings = settings
        self._work = work
        self.memory = Memory(settings.memory_bytes)

    @property
    def used(self) -> int:
        """The bytes that all requests use now."""
        return self.memory.used

    @contextmanager
    def budget(self) -> Iterator[Budget]:
        """The budget of a new request.

        Its memory is released at the end, except for memory transferred to the response
        ([`TrackedResponse`][nnspec.serving.responses.TrackedResponse]).
        """
        settings = self._settings
        reservation = self.memory.reservation()
        budget = Budget(
            reservation, settings.deadline, time.monotonic() + settings.deadline, settings.max_rows, settings.max_values
        )
        try:
            yield budget
        finally:
            if budget.memory is reservation:
                reservation.release()

    async def read(self, request: Request, budget: Budget) -> Content:
        """Read and decompress the body of a request.

        Raises:
            RequestError: If it is too large, arrives too slowly, cannot be decompressed, or exceeds the available memory.
        """
        body = await self._received(request, budget)
        coding = request.headers.get("content-encoding", "identity").strip().lower()
        if coding == "identity":
            return body
        if coding not in _WINDOWS:
            raise RequestError(415, f"the content encoding {coding[:40]!r} is not supported; use gzip or deflate")
        decompress = _Decompressor(coding, self._settings.max_bytes, self._settings.max_ratio, budget)
        if len(body) <= _INLINE:
            decompressed = decompress(body)
        else:
            decompressed = await self._work.run(self._settings.max_bytes, decompress, body)
        budget.memory.release(len(body))
        return decompressed

    async def _received(self, request: Request, budget: Budget) -> Content:
        limit = self._settings.max_bytes
        declared = request.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > limit:
            raise body_too_large(limit)
        seconds = self._settings.body_seconds
        body: Content = b""
        try:
            async with asyncio.timeout(seconds):
                async for part in request.stream():
                    if len(body) + len(part) > limit:
                        raise body_too_large(limit)
                    budget.memory.reserve(len(part))
                    if not body:
                        body = part
                    elif part:
                        body = bytearray(body) if isinstance(body, bytes) else body
                        body += part
        except TimeoutError:
            raise RequestError(408, f"the body was not received within {seconds:g} s", {"Connection": "close"}) from None
        except ClientDisconnect:
            raise client_disconnected() from None
        return body


class _Decompressor:
    """Decompresses a body in steps, reserving memory before each."""

    def __init__(self, coding: str, limit: int, ratio: int, budget: Budget) -> None:
        self._coding = coding
        self._limit = limit
        self._ratio = ratio
        self._budget = budget

    def __call__(self, body: Content) -> bytearray:
        limit = min(self._limit, max(_FREE, self._ratio * len(body)))
        declared = self._declared_size(body)
        if declared is not None:
            self._require(declared, limit)
        decompressor = zlib.decompressobj(_WINDOWS[self._coding])
        output = bytearray()
        view = memoryview(body)
        position = 0
        while not decompressor.eof and (position < len(view) or decompressor.unconsumed_tail):
            self._budget.require_time()
            rest = decompressor.unconsumed_tail
            if not rest:
                rest = view[position : position + _STEP]  # type: ignore[assignment]
                position += _STEP
            try:
                part = decompressor.decompress(rest, _STEP)
            except zlib.error:
                raise RequestError(400, f"the body is not valid {self._coding}, its content encoding") from None
            if declared is not None and len(output) + len(part) > declared:
                break
            self._require(len(output) + len(part), limit)
            self._budget.memory.reserve(len(part))
            output += part
        if (
            not decompressor.eof
            or decompressor.unused_data
            or position < len(view)
            or (declared is not None and len(output) != declared)
        ):
            raise RequestError(400, f"the {self._coding} body is truncated, has trailing bytes, or declares a wrong size")
        return output

    def _declared_size(self, body: Content) -> int | None:
        """The size that a gzip body declares. A decompression bomb is rejected before any of it is decompressed."""
        if self._coding == "deflate":
            return None
        if not body.startswith(b"\x1f\x8b"):
            raise RequestError(400, f"the body is not valid {self._coding}, its content encoding")
        return int.from_bytes(body[-4:], "little")

    def _require(self, size: int, limit: int) -> None:
        if size > self._limit:
            raise body_too_large(self._limit, "the decompressed body")
        if size > limit:
            raise RequestError(
                413,
                f"the body decompresses to more than {self._ratio} times its size, this server's limit (--max-ratio); "
                "send it uncompressed",
            )
