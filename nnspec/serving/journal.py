"""What a server writes down: a line of JSON for each request and each event, from a thread, so that nobody waits for it."""

from __future__ import annotations

import queue
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TextIO

import orjson

__all__ = ["Journal"]

_MOST = 10_000


class Journal:
    """Lines of JSON on a stream.

    Where its reader is slower than what happens, lines are left out, and the next that is written says how many.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue(_MOST)
        self._lost = 0
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    def say(self, event: str, **facts: Any) -> None:
        """Writes an event down; facts that are None are left out."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"time": now, "event": event, **{name: fact for name, fact in facts.items() if fact is not None}}
        if self._lost:
            line["lines_lost"] = self._lost
        try:
            self._lines.put_nowait(line)
            self._lost = 0
        except queue.Full:
            self._lost += 1

    def close(self) -> None:
        """Writes what is left, for at most two seconds."""
        with suppress(queue.Full):
            self._lines.put(None, timeout=1)
        self._thread.join(2)

    def _write(self) -> None:
        while True:
            lines = [self._lines.get()]
            with suppress(queue.Empty):
                while len(lines) < 500:
                    lines.append(self._lines.get_nowait())
            told = [line for line in lines if line is not None]
            with suppress(OSError, ValueError):  # nobody reads any more
                self._stream.write("".join(orjson.dumps(line).decode() + "\n" for line in told))
                self._stream.flush()
            if len(told) < len(lines):
                return
