"""A thread that does one thing after another, and does not keep the process alive."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

__all__ = ["Worker", "are_running"]

T = TypeVar("T")
_NAMES = ("batch", "load")
_LAST_SECONDS = 0.5
_Call = tuple[Callable[[], Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class Worker:
    """A thread of its own. Unlike those of a ``ThreadPoolExecutor``, it is not waited for when the process ends.

    Args:
        name: The thread's.
    """

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._name = name
        self._thread: threading.Thread | None = None

    def run(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """The function's result, or what it raised."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._calls.put((function, loop, future))
        return future

    def close(self) -> None:
        """Ends the thread when it has done what it was given."""
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            function, loop, future = call
            result: Any = None
            failure: BaseException | None = None
            try:
                result = function()
            except BaseException as error:
                failure = error
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(_tell, future, result, failure)
            del call, function, future, result, failure


def are_running() -> bool:
    """Whether a thread still computes what could not be stopped. A process that ends beside it may crash."""
    for thread in threading.enumerate():
        if thread.daemon and thread.name in _NAMES:
            thread.join(_LAST_SECONDS)
    return any(thread.daemon and thread.name in _NAMES for thread in threading.enumerate())


def _tell(future: asyncio.Future[Any], result: Any, failure: BaseException | None) -> None:
    if future.done():
        return
    if failure is not None:
        future.set_exception(failure)
    else:
        future.set_result(result)
