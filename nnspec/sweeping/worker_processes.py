"""Starts workers in processes of their own, replaces those that are killed, and stops them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from nnspec.diagnostics import NnspecError
from nnspec.sweeping.processors import Share, own_shares
from nnspec.sweeping.worker_process import ERROR
from nnspec.training.loop.interruption import Interruption

LOG = "workers.log"
"""What workers and their frameworks write, in the folder of the sweep."""

_MOST_FAILED_STARTS = 3
_SECONDS_TO_STOP = 120.0
_SECONDS_BETWEEN_CHANGES = 1.0


def run_workers(
    count: int,
    settings: Mapping[str, Any],
    path: Path,
    *,
    interrupted: Interruption,
    changed: Callable[[], None],
    ran_a_trial: Callable[[int], bool],
    say: Callable[[str], None],
) -> None:
    """Start workers, and wait until all have ended.

    Args:
        count: The number of workers.
        settings: Their settings, as JSON. They are not visible to other users, unlike arguments of a process.
        path: The folder of the sweep.
        interrupted: Whether a signal asked to stop.
        changed: Called every second.
        ran_a_trial: Whether a process has run a trial, by its ID.
        say: Prints a line.

    Raises:
        NnspecError: If a worker reports an error, or they are killed before their first trials.
    """
    shares = own_shares(count)
    running: dict[int, subprocess.Popen[bytes]] = {}
    problem: str | None = None
    failed_starts = 0
    stopping = False
    last_change = time.monotonic()
    try:
        for number in range(count):
            running[number] = _start(shares[number], settings, path)
        while running:
            time.sleep(0.1)
            if not stopping and (interrupted() or problem is not None):
                stopping = True
                for process in running.values():
                    _ask_to_stop(process)
            for number, process in list(running.items()):
                if process.poll() is None:
                    continue
                del running[number]
                report = _end(process)
                if process.returncode == ERROR and report is not None:
                    problem = problem or report
                elif stopping or problem is not None or not _was_killed(process.returncode):
                    continue
                else:
                    failed_starts = 0 if ran_a_trial(process.pid) else failed_starts + 1
                    how = _how(process.returncode)
                    if failed_starts == _MOST_FAILED_STARTS:
                        problem = f"{failed_starts} workers in a row {how} before a trial\n  = help: see {path / LOG}"
                        continue
                    say(f"a worker {how}; another one starts, and its trial is tried again")
                    running[number] = _start(shares[number], settings, path)
            if time.monotonic() - last_change > _SECONDS_BETWEEN_CHANGES:
                last_change = time.monotonic()
                changed()
    except Exception:
        for process in running.values():
            _ask_to_stop(process)
        _wait(running, _SECONDS_TO_STOP)
        raise
    finally:
        for process in running.values():  # after a second Ctrl-C
            with suppress(OSError):
                process.kill()
            process.wait()
            _end(process)
    if problem is not None:
        raise NnspecError(problem)


def _start(share: Share, settings: Mapping[str, Any], path: Path) -> subprocess.Popen[bytes]:
    package = str(Path(__file__).parents[2])
    search_path = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **os.environ,
        **share.variables,
        "PYTHONPATH": search_path,
    }
    group: dict[str, Any] = {"start_new_session": True}  # so that Ctrl-C reaches it through this process only
    if os.name == "nt":
        group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined]
    with (path / LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "nnspec.sweeping.worker_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
            **group,
        )
    assert process.stdin is not None
    with suppress(OSError):  # it has ended already
        process.stdin.write(json.dumps({**settings, "processors": share.processors}).encode() + b"\n")
        process.stdin.flush()
    return process


def _ask_to_stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.close()


def _wait(running: Mapping[int, subprocess.Popen[bytes]], seconds: float) -> None:
    last = time.monotonic() + seconds
    for process in running.values():
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.1, last - time.monotonic()))


def _end(process: subprocess.Popen[bytes]) -> str | None:
    """Close the pipes of a process that has ended; the error that it reported."""
    _ask_to_stop(process)
    assert process.stdout is not None
    with process.stdout as output:
        lines = output.read().splitlines()
    try:
        return str(json.loads(lines[-1])["error"]) if lines else None
    except (ValueError, LookupError, TypeError):
        return None


def _was_killed(status: int) -> bool:
    """Whether a process did not end by itself, and was not asked to by a signal."""
    asked = {128 + number for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))}
    return status != 0 and status not in asked


def _how(status: int) -> str:
    if status < 0:
        with suppress(ValueError):
            return f"ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
