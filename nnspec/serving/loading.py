"""Loading of models with a time limit, including a first inference."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from nnspec.diagnostics import NnspecError
from nnspec.runtime.session import Stop
from nnspec.serving.worker import Worker

T = TypeVar("T")
_STOP_SECONDS = 2.0
"""Seconds in which an interrupted run usually stops."""


def load_with_timeout(load: Callable[[], T], path: Path, seconds: float) -> T:
    """Load a model and wait for it.

    Args:
        load: Loads the model and runs it once. It is called in a thread, which is abandoned if it cannot be interrupted.
        path: The file of the model.
        seconds: The time limit.

    Raises:
        NnspecError: If the time limit is exceeded, or the model cannot be loaded.
    """
    stop = Stop()
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(_load_stoppable(stop, load))
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, name="load", daemon=True)
    thread.start()
    try:
        thread.join(seconds)
    finally:
        is_late = thread.is_alive()
        stop.set()
    if is_late:
        thread.join(_STOP_SECONDS)
        raise _timeout_error(path, seconds)
    if failures:
        raise failures[0]
    return results[0]


async def load_in_background(load: Callable[[], T], path: Path, seconds: float) -> T:
    """Load a model without blocking the event loop.

    Raises:
        NnspecError: If the time limit is exceeded, or the model cannot be loaded.
    """
    stop, worker = Stop(), Worker("load")
    running = worker.run(partial(_load_stoppable, stop, load))
    worker.close()
    running.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.shield(running)
    except TimeoutError:
        raise _timeout_error(path, seconds) from None
    finally:
        stop.set()


def _load_stoppable(stop: Stop, load: Callable[[], T]) -> T:
    with stop.of_this_thread():
        return load()


def _timeout_error(path: Path, seconds: float) -> NnspecError:
    return NnspecError(
        f"`{path}` was not loaded within {seconds:g} s, including a first inference\n  = help: raise --warm-up, or "
        "check whether the model terminates"
    )
