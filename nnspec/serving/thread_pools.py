"""Thread pools for work that would block the event loop, separate for small and large requests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LARGE = 256 * 1024
"""Requests of at least this size are large."""


class ThreadPools:
    """Runs functions in thread pools."""

    def __init__(self) -> None:
        self._small = ThreadPoolExecutor((os.cpu_count() or 1) + 4, thread_name_prefix="small")
        # Most of this work holds the GIL, so more threads would not help.
        self._large = ThreadPoolExecutor(2, thread_name_prefix="large")

    async def run(self, size: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in a thread and return its result.

        If the caller is canceled, the running function is still awaited, so that its memory is released only after it ends.

        Args:
            size: The approximate size of its data in bytes.
            function: The function.
            *args: Its positional arguments.
            **kwargs: Its keyword arguments.
        """
        pool = self._large if size >= LARGE else self._small
        running = pool.submit(function, *args, **kwargs)
        waiting = asyncio.wrap_future(running)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            if not running.cancel():
                await asyncio.wait([waiting])
            raise

    def close(self) -> None:
        """Shut down the pools."""
        for pool in (self._small, self._large):
            pool.shutdown(wait=False, cancel_futures=True)
