"""Ctrl-C, SIGTERM and SIGHUP, noted for the loop to heed after the step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

__all__ = ["Interruption", "interruptible"]

_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)  # Windows has no SIGHUP


class Interruption:
    """Whether someone has asked for the training to stop, and by which signal."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def __call__(self) -> bool:
        return self.signal is not None

    @property
    def status(self) -> int:
        """The status of a process that the signal ended, as a shell reports it."""
        return 128 + (self.signal or signal.SIGINT)


_active: list[Interruption] = []


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Notes a first Ctrl-C, SIGTERM or SIGHUP; a second does what it did before, which for a command is to end it at once.

    Within another ``interruptible()``, as the trainings of a sweep are, it is the same interruption. A SIGHUP that the process
    was started to ignore (``nohup``) is ignored. Signals reach the main thread alone: in another, nothing is noted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield Interruption()
        return
    if _active:
        yield _active[-1]
        return
    asked = Interruption()
    before = {number: signal.getsignal(number) for number in _SIGNALS if not _ignored(number)}

    def note(number: int, frame: object) -> None:
        del frame
        asked.signal = signal.Signals(number)
        _restore(before)

    for number in before:
        signal.signal(number, note)
    _active.append(asked)
    try:
        yield asked
    finally:
        _active.remove(asked)
        _restore(before)


def _ignored(number: signal.Signals) -> bool:
    return number.name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN


def _restore(before: Mapping[signal.Signals, object]) -> None:
    for number, handler in before.items():
        # None stands for a handler that was not set from Python, and cannot be set from it.
        signal.signal(number, signal.SIG_DFL if handler is None else handler)  # type: ignore[arg-type]
