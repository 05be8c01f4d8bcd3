"""Servers of one model, each in a process of its own, in the environment it needs."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PEERS = Path(__file__).parent.parent / "serving_peers"


@contextmanager
def ours(model: Path, folder: Path, *options: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """``nnspec serve`` of a model: its port and its process."""
    port = free_port()
    command = [sys.executable, "-m", "nnspec", "serve", f"net={model}", "--port", str(port), "--no-access-log", *options]
    with _running(command, port, "/v2/health/ready", folder / "nnspec.log") as process:
        yield port, process


@contextmanager
def mlserver(python: str, model: Path, folder: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """MLServer with a runtime that calls ONNX Runtime, and its adaptive batching."""
    port = free_port()
    place = folder / "mlserver"
    place.mkdir(exist_ok=True)
    settings = {
        "name": "net",
        "implementation": "mlserver_model.Net",
        "parameters": {"uri": str(model)},
        "max_batch_size": 64,
        "max_batch_time": 0.002,
    }
    (place / "model-settings.json").write_text(json.dumps(settings))
    told = {
        "http_port": port,
        "grpc_port": free_port(),
        "metrics_port": free_port(),
        "debug": False,
        "host": "127.0.0.1",
        "parallel_workers": 0,
    }
    (place / "settings.json").write_text(json.dumps(told))
    command = [str(Path(python).parent / "mlserver"), "start", str(place)]
    with _running(command, port, "/v2/models/net/ready", folder / "mlserver.log", PYTHONPATH=str(PEERS)) as process:
        yield port, process


@contextmanager
def litserve(python: str, model: Path, folder: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """LitServe with an API that calls ONNX Runtime, and its batching."""
    port = free_port()
    command = [python, str(PEERS / "litserve_app.py"), str(model), str(port)]
    with _running(command, port, "/health", folder / "litserve.log") as process:
        yield port, process


def cpu_seconds(session: int) -> float:
    """What all processes of a server have computed, in seconds: told apart from what others do on the machine."""
    spent = 0.0
    for place in Path("/proc").iterdir():
        if place.name.isdecimal():
            try:
                fields = (place / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session:
                spent += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return spent


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def _running(command: list[str], port: int, path: str, log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    told = {name: value for name, value in os.environ.items() if name != "PYTHONPATH" or command[0] == sys.executable}
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**told, **environment}, start_new_session=True)
        try:
            _await(f"http://127.0.0.1:{port}{path}", process, log)
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended:\n{log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the server does not answer:\n{log.read_text()[-2000:]}")
