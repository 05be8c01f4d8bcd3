"""Handling of Ctrl-C, SIGTERM and SIGHUP, which stop a training after the current step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)  # Windows has no SIGHUP


class Interruption:
    """Whether a signal has asked the training to stop, and which."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def __call__(self) -> bool:
        return self.signal is not None

    @property
    def status(self) -> int:
        """The exit status of a process ended by the signal, as a shell reports it."""
        return 128 + (self.signal or signal.SIGINT)


_active: list[Interruption] = []


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Records the first Ctrl-C, SIGTERM or SIGHUP; a second one has its previous effect, which usually ends the process.

    Nested ``interruptible()`` blocks, as in a sweep, share the interruption. SIGHUP is ignored if the process was started to
    ignore it (``nohup``). Signals only reach the main thread: in other threads, nothing is recorded.
    """
    if threading.current_thread() is not threading.main_thread():
        yield Interruption()
        return
    if _active:
        yield _active[-1]
        return
    interruption = Interruption()
    before = {number: signal.getsignal(number) for number in _SIGNALS if not _ignored(number)}

    def record(number: int, frame: object) -> None:
        del frame
        interruption.signal = signal.Signals(number)
        _restore(before)

    for number in before:
        signal.signal(number, record)
    _active.append(interruption)
    try:
        yield interruption
    finally:
        _active.remove(interruption)
        _restore(before)


def _ignored(number: signal.Signals) -> bool:
    return number.name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN


def _restore(before: Mapping[signal.Signals, object]) -> None:
    for number, handler in before.items():
        # None is a handler that was not set from Python and cannot be set from Python.
        signal.signal(number, signal.SIG_DFL if handler is None else handler)  # type: ignore[arg-type]
