"""One of several processes that serve: ``python -m nnspec.serving.supervised``, which the supervisor starts.

It reads its task from its standard input, and writes the models that it serves, or an error, to a pipe. When its standard input
ends, the supervisor has ended, and it drains.
"""

from __future__ import annotations

import json
import os
import pickle
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from nnspec.diagnostics import NnspecError
from nnspec.serving.journal import Journal
from nnspec.serving.server import Server, prepare
from nnspec.serving.settings import Settings
from nnspec.serving.worker import is_computing


@dataclass(frozen=True)
class Task:
    """What a process serves.

    Attributes:
        index: The number of the process, from 0.
        models: Files and folders of models.
        settings: The settings.
        listening: The descriptor of its socket.
        report: The descriptor of the pipe to the supervisor.
        lock: The file that is locked while the log is written.
        certificate: A PEM file, for TLS.
        key: The private key, if it is not in the same file.
        replaces: Whether it replaces a process that has ended.
    """

    index: int
    models: tuple[str, ...]
    settings: Settings
    listening: int
    report: int
    lock: Path
    certificate: Path | None
    key: Path | None
    replaces: bool


def serve_task(task: Task) -> None:
    """Serve until a signal, or the end of the standard input.

    Args:
        task: The task.
    """
    journal = Journal(lock=task.lock, process=task.index)
    with os.fdopen(task.report, "w") as report, socket.socket(fileno=task.listening) as listening:
        try:
            state = prepare(task.models, task.settings, journal, task.certificate, task.key)
        except NnspecError as error:
            report.write(json.dumps({"error": str(error)}))
            return
        if task.replaces:
            state.metrics.restarts.inc()
        server = _Server(state, listening, task.certificate, task.key)
        server.ready = (report, {"models": state.repository.descriptions, "pid": os.getpid()})
        server.run(sockets=[listening])
    journal.close()


class _Server(Server):
    """A server that reports when it accepts connections."""

    ready: tuple[IO[str], dict[str, object]]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        file, text = self.ready
        file.write(json.dumps(text))
        file.close()


def _drain_without_supervisor() -> None:
    # A thread that waits in a buffered reader makes the interpreter abort at exit.
    while os.read(sys.stdin.fileno(), 1000):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    task = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_drain_without_supervisor, daemon=True).start()
    serve_task(task)
    sys.stdout.flush()
    if is_computing():
        os._exit(0)
