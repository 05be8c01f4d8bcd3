"""Ctrl-C and SIGTERM, noted for the loop to heed after the step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

__all__ = ["Interruption", "interruptible"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Whether someone has asked for the training to stop, and by which signal."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def __call__(self) -> bool:
        return self.signal is not None


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Notes a first Ctrl-C or SIGTERM; a second does what it did before, which for a command is to end it at once.

    Signals reach the main thread alone: in another, nothing is noted.
    """
    asked = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def note(number: int, frame: object) -> None:
        del frame
        asked.signal = signal.Signals(number)
        _restore(before)

    for number in _SIGNALS:
        signal.signal(number, note)
    try:
        yield asked
    finally:
        _restore(before)


def _restore(before: Mapping[signal.Signals, object]) -> None:
    for number, handler in before.items():
        # None stands for a handler that was not set from Python, and cannot be set from it.
        signal.signal(number, signal.SIG_DFL if handler is None else handler)  # type: ignore[arg-type]
