"""Threads for what would hold up the loop: some for what is small, others for what is large."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

__all__ = ["LARGE", "Work"]

P = ParamSpec("P")
T = TypeVar("T")

LARGE = 256 * 1024
"""Bytes from which something is large."""


class Work:
    """Runs functions in threads."""

    def __init__(self) -> None:
        self._small = ThreadPoolExecutor((os.cpu_count() or 1) + 4, thread_name_prefix="small")
        # Most of what takes long holds the interpreter: more threads would only take turns.
        self._large = ThreadPoolExecutor(2, thread_name_prefix="large")

    async def run(self, size: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result.

        What it holds must be given back only when it has ended: it is waited for even where nobody wants its result any more.

        Args:
            size: About how many bytes it works on.
            function: What is run.
            *args: Its arguments.
            **kwargs: The same.
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
        """Lets the threads end."""
        for pool in (self._small, self._large):
            pool.shutdown(wait=False, cancel_futures=True)
