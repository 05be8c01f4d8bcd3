"""``serve --processes``: several processes that share a port. One that ends is replaced.

Each process has a socket of its own, among which Linux divides the connections (``SO_REUSEPORT``). This one holds the sockets
open: connections that arrive while a process is replaced wait for the new one.
"""

from __future__ import annotations

import json
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType

from prometheus_client.multiprocess import mark_process_dead

from nnspec.diagnostics import NnspecError
from nnspec.serving.hosts import allowed_hosts
from nnspec.serving.journal import Journal
from nnspec.serving.metrics import SHARED
from nnspec.serving.server import bound, url_of
from nnspec.serving.settings import Settings
from nnspec.serving.supervised import Task

_TURN_SECONDS = 0.05
_STABLE_SECONDS = 10.0
"""A process that ends sooner is replaced after a pause, which is doubled each time."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0


def serve_processes(
    models: Sequence[str],
    count: int,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    settings: Settings | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
) -> None:
    """Serve models in several processes until SIGTERM or SIGINT. Requests received before the signal are completed.

    Args:
        models: Files and folders, as for [`serve`][nnspec.serving.server.serve].
        count: The number of processes.
        host: The address to listen on.
        port: The port; 0 for a free port, which the first log line reports.
        settings: The settings of each process.
        certificate: A PEM file, for TLS.
        key: The private key, if it is not in the same file.

    Raises:
        NnspecError: If a model cannot be served, the address is not available, or this is not Linux.
    """
    if not sys.platform.startswith("linux"):
        raise NnspecError("`--processes` requires Linux\n  = help: run several servers behind a load balancer")
    settings = settings or Settings()
    settings = replace(settings, hosts=allowed_hosts(host, settings.hosts or ()))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nnspec-serve-")))
        sockets = [stack.enter_context(one) for one in _sockets(host, port, count)]
        journal = Journal(lock=folder / "lock")
        stack.callback(journal.close)
        tasks = [
            Task(
                index=index,
                models=tuple(models),
                settings=settings,
                listening=one.fileno(),
                report=-1,
                lock=folder / "lock",
                certificate=certificate,
                key=key,
                replaces=False,
            )
            for index, one in enumerate(sockets)
        ]
        supervisor = _Supervisor([_Process(task, folder) for task in tasks], journal, sockets)
        stack.callback(supervisor.end)
        with supervisor.signals():
            served = supervisor.start()
            if served is not None:
                journal.log("serving", url=url_of(sockets[0], certificate), models=served, processes=count)
                supervisor.watch()
            supervisor.drain()
        journal.log("ended")


def _sockets(host: str, port: int, count: int) -> list[socket.socket]:
    """The sockets of the processes."""
    # Another server of this user could share the port too: without this check, both would get a part of the connections.
    with bound(host, port) as free:
        port = free.getsockname()[1]
    return [bound(host, port, shared=True) for _ in range(count)]


class _Process:
    """A process, and those that replace it.

    Args:
        task: Its task.
        folder: The folder of the metrics.
    """

    def __init__(self, task: Task, folder: Path) -> None:
        self.task = task
        self._folder = folder
        self._running: subprocess.Popen[bytes] | None = None
        self._report: int | None = None
        self._said = b""
        self._since = self.resume_at = 0.0
        self._pause = 0.0
        self.is_ready = False

    def start(self) -> None:
        """Start the process."""
        self._report, writing = os.pipe()
        os.set_blocking(self._report, False)
        self._said, self.is_ready, self._since = b"", False, time.monotonic()
        safe = ["-P"] if sys.flags.safe_path else []
        try:
            self._running = subprocess.Popen(
                [sys.executable, *safe, "-m", "nnspec.serving.supervised"],
                stdin=subprocess.PIPE,
                pass_fds=[self.task.listening, writing],
                env={**os.environ, SHARED: str(self._folder)},
                process_group=0,  # a terminal sends Ctrl-C to the supervisor alone
            )
        finally:
            os.close(writing)
        assert self._running.stdin is not None
        with suppress(OSError):
            pickle.dump(replace(self.task, report=writing), self._running.stdin)
            self._running.stdin.flush()

    def send(self, number: int) -> None:
        """Send a signal."""
        if self._running is not None:
            self._running.send_signal(number)

    def said(self) -> dict[str, object] | None:
        """What the process has reported: its models, or an error; None while it reports nothing."""
        if self._report is not None:
            try:
                while part := os.read(self._report, 65536):
                    self._said += part
            except BlockingIOError:
                return None
            os.close(self._report)
            self._report = None
            if self._said:
                found: dict[str, object] = json.loads(self._said)
                self.is_ready = "error" not in found
                return found
        return None

    def ended(self) -> int | None:
        """The status of a process that has ended since the last call, which is then forgotten."""
        if self._running is None or (status := self._running.poll()) is None:
            return None
        mark_process_dead(self._running.pid, str(self._folder))  # type: ignore[no-untyped-call]
        self._forget()
        stable = self.is_ready and time.monotonic() - self._since > _STABLE_SECONDS
        self._pause = 0.0 if stable else min(_LONGEST_PAUSE, 2 * self._pause or _FIRST_PAUSE)
        self.resume_at = time.monotonic() + (self._pause if self._pause > _FIRST_PAUSE else 0.0)
        self.task = replace(self.task, replaces=True)
        return status

    @property
    def pid(self) -> int | None:
        """The number of the running process; None if there is none."""
        return None if self._running is None else self._running.pid

    def kill(self) -> None:
        """End the process at once."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._forget()

    def _forget(self) -> None:
        assert self._running is not None
        assert self._running.stdin is not None
        with suppress(OSError):
            self._running.stdin.close()
        if self._report is not None:
            os.close(self._report)
        self._running = self._report = None


class _Supervisor:
    def __init__(self, processes: list[_Process], journal: Journal, sockets: list[socket.socket]) -> None:
        self._processes = processes
        self._journal = journal
        self._sockets = sockets
        self._signals: list[int] = []

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Collect the signals that end the server."""
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        self._wakeup = reading

        def note(number: int, frame: FrameType | None) -> None:
            del frame
            self._signals.append(number)

        ending = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # `nohup` ignores it
            ending.append(signal.SIGHUP)
        handlers = {number: signal.signal(number, note) for number in ending}
        before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            for number, handler in handlers.items():
                signal.signal(number, handler)
            os.close(reading)
            os.close(writing)

    def start(self) -> object:
        """Start the processes, and return their models; None if a signal ends them first.

        The first one loads the models before the others start, so that an error is reported once.

        Raises:
            NnspecError: If the first one cannot serve them.
        """
        served: object = None
        for starting in (self._processes[:1], self._processes[1:]):
            for process in starting:
                process.start()
            while not all(process.is_ready for process in starting):
                if self._signals:
                    return None
                self._wait()
                for process in starting:
                    found = process.said()
                    if found is not None and "error" in found:
                        raise NnspecError(str(found["error"]))
                    if found is not None:
                        served = found["models"]
                    status = process.ended()
                    if status is not None:
                        raise NnspecError(f"process {process.task.index} of the server ended while it started: {_name(status)}")
        return served

    def watch(self) -> None:
        """Replace processes that end, until a signal."""
        while not self._signals:
            self._wait()
            for process in self._processes:
                pid = process.pid
                found = process.said()
                if found is not None and "error" not in found:
                    self._journal.log("process started", process=process.task.index, pid=found["pid"])
                error = found.get("error") if found is not None else None
                if error is not None:
                    self._journal.log("process failed", process=process.task.index, error=error)
                status = process.ended()
                if status is not None:
                    self._journal.log("process ended", process=process.task.index, pid=pid, status=_name(status))
                if process.pid is None and time.monotonic() >= process.resume_at:
                    process.start()

    def drain(self) -> None:
        """Forward signals to the processes until all have ended."""
        for one in self._sockets:
            one.close()  # each process closes its own when it has accepted what waits there
        while any(process.pid is not None for process in self._processes):
            while self._signals:
                number = self._signals.pop(0)
                for process in self._processes:
                    process.send(number)
            self._wait()
            for process in self._processes:
                status = process.ended()
                if status:
                    self._journal.log("process ended", process=process.task.index, status=_name(status))

    def end(self) -> None:
        """End the processes that still run."""
        for process in self._processes:
            process.kill()

    def _wait(self) -> None:
        if select.select([self._wakeup], [], [], _TURN_SECONDS)[0]:
            os.read(self._wakeup, 1000)


def _name(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"status {status}"
