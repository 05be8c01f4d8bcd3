"""The log of the server: a line of JSON for each request and event, written by a thread."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TextIO

import orjson

from nnspec.serving.errors import RequestError

_MAX_QUEUED = 10_000


class Journal:
    """Writes log events as lines of JSON to a stream.

    If the reader of the stream is too slow, lines are dropped, and the next line reports how many.

    Args:
        stream: The stream; by default the standard output.
        lock: A file that is locked while lines are written, if several processes write to the stream.
        **facts: Facts of every line.
    """

    def __init__(self, stream: TextIO | None = None, lock: Path | None = None, **facts: Any) -> None:
        self._stream = stream or sys.stdout
        self._lock = lock.open("ab") if lock is not None else None
        self._facts = facts
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue(_MAX_QUEUED)
        self._lost = 0
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    def log(self, event: str, **facts: Any) -> None:
        """Log an event; facts that are None are omitted."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"time": now, "event": event, **self._facts, **{name: fact for name, fact in facts.items() if fact is not None}}
        if self._lost:
            line["lines_lost"] = self._lost
        try:
            self._lines.put_nowait(line)
            self._lost = 0
        except queue.Full:
            self._lost += 1

    def log_advice(self, path: str, refused: RequestError) -> None:
        """Log what the operator or the author of the spec can do about a rejected request, if anything."""
        if refused.advice:
            self.log("refused", path=path[:500], status=refused.status, error=refused.message, advice=refused.advice)

    def close(self) -> None:
        """Write the queued lines, for at most two seconds."""
        with suppress(queue.Full):
            self._lines.put(None, timeout=1)
        self._thread.join(2)
        if self._lock is not None and not self._thread.is_alive():
            self._lock.close()

    def _write(self) -> None:
        while True:
            lines = [self._lines.get()]
            with suppress(queue.Empty):
                while len(lines) < 500:
                    lines.append(self._lines.get_nowait())
            written = [line for line in lines if line is not None]
            with suppress(OSError, ValueError), _locked(self._lock):  # the reader has closed the stream
                self._stream.write("".join(orjson.dumps(line).decode() + "\n" for line in written))
                self._stream.flush()
            if len(written) < len(lines):
                return


@contextmanager
def _locked(file: IO[bytes] | None) -> Iterator[None]:
    """Lock a file: more than 4 KiB written to a pipe may be mixed with what another process writes."""
    if file is None:
        yield
        return
    import fcntl

    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
