"""Starts the processes of a training on this machine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType

from nnspec.diagnostics import NnspecError
from nnspec.system import processors
from nnspec.training.processes.environment import COORDINATOR, COUNT, INDEX, LAUNCHED, LOST

_SECONDS_TO_END = 15.0
"""The time that processes have to end by themselves after one has failed."""

_SECONDS_AFTER_THE_FIRST = 1.0
"""The time after process 0 has failed, without which the others cannot go on."""

_ALWAYS_ALLOWED, _MOST_PER_PROCESSOR = 8, 4
"""More processes would only wait for each other, and fill the memory."""

_MOST_LINES = 20
_RESUME = "\n  = help: the run can be resumed with `nnspec train --resume RUN`, by any number of processes"


def launch(command: Sequence[str], count: int) -> int:
    """Runs a command in several processes and waits for them; the first one that fails ends the others.

    Each process has its share of the processors, if that is at least two. Process 0 has this process's standard output and
    error; what another one writes to its standard error is shown if it is the one that failed.

    Args:
        command: The command.
        count: The number of processes.

    Returns:
        The exit status.

    Raises:
        NnspecError: If a process fails, with its number; or if there are many more processes than processors.
    """
    if count > (most := max(_ALWAYS_ALLOWED, _MOST_PER_PROCESSOR * len(processors()))):
        raise NnspecError(
            f"{count:,} processes are too many for {len(processors())} processors: each loads JAX, the network and the data\n"
            f"  = help: use `--processes {len(processors())}`; at most {most} are started here"
        )
    address = f"127.0.0.1:{_free_port()}"
    with ExitStack() as stack:
        processes: list[subprocess.Popen[bytes]] = []
        stack.enter_context(_forwarded(processes))
        stack.callback(_end, processes)
        errors = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(count)]
        for index in range(count):
            environment = {**os.environ, COORDINATOR: address, COUNT: str(count), INDEX: str(index), LAUNCHED: "1"}
            stdout, stderr = (None, None) if index == 0 else (subprocess.DEVNULL, errors[index])
            with _restricted_to_its_processors(index, count):
                processes.append(
                    subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)
                )
        statuses = _wait(processes)
        failed = [index for index, status in enumerate(statuses) if status]
        if not failed:
            return 0
        # Those that lost another process have not failed by themselves.
        causes = [index for index in failed if statuses[index] not in (LOST, -signal.SIGABRT)]
        silent = [index for index, status in enumerate(statuses) if status is None]
        if silent and not causes:
            raise NnspecError(f"process {silent[0]} of {count} did not answer the others, and was ended{_RESUME}")
        first = [*causes, *failed][0]
        errors[first].seek(0)
        return _reported(first, count, statuses[first] or 0, errors[first].read().decode(errors="replace"))


def _wait(processes: Sequence[subprocess.Popen[bytes]]) -> list[int | None]:
    """Waits for the processes and returns their statuses; None for those that go on after another one has failed."""
    until = float("inf")
    while any(process.poll() is None for process in processes) and time.monotonic() < until:
        if until == float("inf") and any(process.returncode for process in processes):
            # Process 0 records the failure in the run.
            until = time.monotonic() + _SECONDS_TO_END
        if processes[0].returncode:
            until = min(until, time.monotonic() + _SECONDS_AFTER_THE_FIRST)
        time.sleep(0.02)
    return [process.returncode for process in processes]


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.kill()
    for process in processes:
        process.wait()


def _reported(index: int, count: int, status: int, text: str) -> int:
    """Reports the failure of a process and returns the exit status.

    Raises:
        NnspecError: If a signal ended it, or another process than the first failed.
    """
    if status < 0:
        name = signal.Signals(-status).name
        memory = ", perhaps for lack of memory" if name == "SIGKILL" else ""
        raise NnspecError(f"process {index} of {count} was ended by {name}{memory}{_RESUME}")
    if index:
        lines = "".join(f"\n  {line}" for line in text.strip().splitlines()[-_MOST_LINES:])
        raise NnspecError(f"process {index} of {count} failed:{lines}")
    return status


@contextmanager
def _forwarded(processes: Sequence[subprocess.Popen[bytes]]) -> Iterator[None]:
    """Forwards signals to the processes; a terminal sends Ctrl-C to them itself."""

    def forward(number: int, frame: FrameType | None) -> None:
        del frame
        for process in processes:
            process.send_signal(number)

    def wait(number: int, frame: FrameType | None) -> None:
        if not os.isatty(0) or os.getpgrp() != os.tcgetpgrp(0):
            forward(number, frame)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, wait)
    signal.signal(signal.SIGTERM, forward)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def processors_of(index: int, count: int, available: Sequence[int]) -> Sequence[int]:
    """The processors of one of several processes: its share of the available ones, or all if the share is less than two.

    On a single one, the thread that communicates waits for the time slices of the one that computes: 4 ms instead of 0.8 ms
    for each reduction.

    Examples:
        >>> processors_of(1, 2, [0, 1, 2, 3])
        [2, 3]
        >>> processors_of(1, 2, [0, 1])
        [0, 1]
    """
    if len(available) < 2 * count:
        return available
    return available[len(available) * index // count : len(available) * (index + 1) // count]


@contextmanager
def _restricted_to_its_processors(index: int, count: int) -> Iterator[None]:
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    available = processors()
    os.sched_setaffinity(0, processors_of(index, count, available))
    try:
        yield
    finally:
        os.sched_setaffinity(0, available)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def this_command() -> list[str]:
    """The command with which this process was started."""
    return [sys.executable, "-m", "nnspec", *sys.argv[1:]]
