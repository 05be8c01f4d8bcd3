"""Loads models within a time: one that never ends its first answer is given up."""

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

__all__ = ["loaded", "loaded_beside"]

T = TypeVar("T")
_TO_STOP = 2.0
"""Seconds in which a run that is told to stop usually does."""


def loaded(load: Callable[[], T], path: Path, seconds: float) -> T:
    """What loads a model; this thread waits for it.

    Args:
        load: Loads it and asks it once. Runs in a thread that is left alone where it cannot be stopped.
        path: Its file.
        seconds: How long that may take.

    Raises:
        NnspecError: Where it takes longer, or the model cannot be loaded.
    """
    stop = Stop()
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(_within(stop, load))
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
        thread.join(_TO_STOP)
        raise _too_long(path, seconds)
    if failures:
        raise failures[0]
    return results[0]


async def loaded_beside(load: Callable[[], T], path: Path, seconds: float) -> T:
    """The same while the loop goes on.

    Raises:
        NnspecError: Where it takes longer, or the model cannot be loaded.
    """
    stop, worker = Stop(), Worker("load")
    running = worker.run(partial(_within, stop, load))
    worker.close()
    running.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.shield(running)
    except TimeoutError:
        raise _too_long(path, seconds) from None
    finally:
        stop.set()


def _within(stop: Stop, load: Callable[[], T]) -> T:
    with stop.of_this_thread():
        return load()


def _too_long(path: Path, seconds: float) -> NnspecError:
    return NnspecError(
        f"`{path}` was not loaded within {seconds:g} s, its first answer included\n  = help: allow more with --warm-up, or "
        "look whether it ever ends"
    )
