"""A daemon thread that runs functions sequentially."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")
_NAMES = ("batch", "load")
_LAST_SECONDS = 0.5
_Call = tuple[Callable[[], Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class Worker:
    """Runs functions in a daemon thread. Unlike the threads of a ``ThreadPoolExecutor``, it is not joined at exit.

    Args:
        name: The name of the thread.
    """

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._name = name
        self._thread: threading.Thread | None = None

    def run(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Run a function and return a future of its result."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._calls.put((function, loop, future))
        return future

    def close(self) -> None:
        """Stop the thread after the queued functions."""
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
            with suppress(RuntimeError):  # the event loop is closed
                loop.call_soon_threadsafe(_resolve, future, result, failure)
            del call, function, future, result, failure


def is_computing() -> bool:
    """Whether a thread is still computing and could not be interrupted. The process may crash if it exits normally then."""
    for thread in threading.enumerate():
        if thread.daemon and thread.name in _NAMES:
            thread.join(_LAST_SECONDS)
    return any(thread.daemon and thread.name in _NAMES for thread in threading.enumerate())


def _resolve(future: asyncio.Future[Any], result: Any, failure: BaseException | None) -> None:
    if future.done():
        return
    if failure is not None:
        future.set_exception(failure)
    else:
        future.set_result(result)
