"""A server under attack, one case after another: its memory, its health, and the answers that good clients get beside it.

Each case has a server of its own, with the options it has by default unless the case says others, on 127.0.0.1. A watcher, a
process of its own, asks ``/v2/health/live`` on a new connection all the while, and asks the models what it knows the answer to. A
case fails where the server's memory at its peak (``VmHWM`` of its process) is more than 200 MB over what it was before, where
health takes more than 1 s, where a good client gets no answer or a wrong one, or where the attack itself is answered otherwise
than it should be. Every attack is bounded, in requests and in seconds.

    python -m benchmarks serving attacks                # all; a few minutes
    python -m benchmarks serving attacks --only idle
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.serving.attack_cases import CASES, Case
from benchmarks.serving.servers import ours
from tests.serving import models

MOST_BYTES = 200_000_000
MOST_SECONDS = 1.0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks serving attacks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(CASES))
    options = parser.parse_args(arguments)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    print(
        f"{'attack':<26} {'peak MB over start':>18} {'worst health s':>14} {'good answers':>14} {'seconds':>8}  answers to the attack"
    )
    failed = [name for name, case in CASES.items() if name in (options.only or CASES) and not _run(name, case)]
    print(f"failed: {', '.join(failed)}" if failed else "none failed")
    return int(bool(failed))


def _run(name: str, case: Case) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        served = {
            "net": models.scale(), "iris": models.iris(), "side": models.picture(white=255), **case.models()
        }  # fmt: skip
        files = {key: models.write(place / f"{key}.onnx", model) for key, model in served.items()}
        others = [f"{key}={file}" for key, file in files.items() if key != "net"]
        with ours(files["net"], place, *others, *case.options) as (port, process):
            time.sleep(0.5)
            _forget_peak(process.pid)
            before = _status(process.pid, "VmRSS")
            begun = time.monotonic()
            with _watched(port, ends=case.ends_server) as watched, _peak(process.pid) as peak:
                found, wrong = asyncio.run(case.attack(port, process.pid, place))
            taken = time.monotonic() - begun
            over = peak[0] - before
            if not case.ends_server and process.poll() is not None:
                wrong.append(f"the server ended with {process.returncode}")
    good, total = watched["right"], watched["right"] + watched["wrong"]
    print(
        f"{name:<26} {over / 1e6:>18.0f} {watched['health']:>14.3f} {f'{good:,}/{total:,}':>14} {taken:>8.1f}  "
        + ", ".join(f"{count:,} × {what}" for what, count in sorted(found.items(), key=str)),
        flush=True,
    )
    wrong += [f"{over / 1e6:.0f} MB over its start"] * (over > MOST_BYTES)
    wrong += [f"health took {watched['health']:.2f} s"] * (watched["health"] > MOST_SECONDS)
    wrong += [f"a good client got {watched['example']}"] * bool(watched["wrong"])
    wrong += ["no good client was answered"] * (not good)
    for reason in wrong:
        print(f"    WRONG: {reason}")
    return not wrong


@contextmanager
def _watched(port: int, ends: bool):  # type: ignore[no-untyped-def]
    """What a watcher saw while the block ran; filled at its end."""
    found: dict = {}  # type: ignore[type-arg]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.serving.attack_watcher", str(port), str(int(ends))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield found
    finally:
        out, _ = process.communicate("end", timeout=60)
        found.update(json.loads(out))


@contextmanager
def _peak(pid: int):  # type: ignore[no-untyped-def]
    """The most memory that a process had while the block ran, as its system counted it; looked at while it lives."""
    peak, done = [0], threading.Event()

    def look() -> None:
        while True:
            is_last = done.wait(0.1)
            with suppress(OSError, StopIteration):
                peak[0] = max(peak[0], _status(pid, "VmHWM"))
            if is_last:
                return

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def _status(pid: int, key: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":"))


def _forget_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")
