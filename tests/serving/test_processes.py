"""A server of several processes."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from nnspec.serving.settings import default_threads
from tests.serving import models
from tests.serving.conftest import request

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux")


class Served:
    """A server of several processes, and its log."""

    def __init__(self, process):
        self.process, self.lines = process, []
        self._come = threading.Condition()
        self.reading = threading.Thread(target=self._read, daemon=True)
        self.reading.start()

    def _read(self):
        with self.process.stdout as lines:
            for line in lines:
                with self._come:
                    self.lines.append(json.loads(line))
                    self._come.notify_all()

    def event(self, name, after=0):
        """The first line of an event."""
        with self._come:
            assert self._come.wait_for(lambda: [x for x in self.lines[after:] if x["event"] == name], 30), self.lines
            return next(line for line in self.lines[after:] if line["event"] == name)

    @property
    def port(self):
        return int(self.event("serving")["url"].rpartition(":")[2])

    def ask(self, method, path, body=None, connection=None):
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        own.request(method, path, body and json.dumps(body))
        response = own.getresponse()
        found = response.status, response.read().decode()
        if connection is None:
            own.close()
        return found

    def value(self, name):
        """The sum of a metric over its labels."""
        return sum(float(value) for value in re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", self.ask("GET", "/metrics")[1], re.M))

    def workers(self):
        """The processes that serve."""
        pid = self.process.pid
        return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


@contextmanager
def serving(*arguments):
    command = [sys.executable, "-W", "error", "-m", "nnspec", "serve", *map(str, arguments), "--port", "0", "--drain", "0.1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    served = Served(process)
    try:
        yield served
    finally:
        process.kill()
        process.wait()
        served.reading.join(20)  # the log ends with the last process
        process.stderr.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    file = models.write(tmp_path_factory.mktemp("models") / "a.onnx", models.scale())
    with serving(file, "--processes", "2") as found:
        found.event("serving")
        yield found


INFER = "/v2/models/scale/infer"


def ask_many(served, count):
    """Status and values, asked on a connection of its own each time, so that both processes are asked."""
    found = [served.ask("POST", INFER, request()) for _ in range(count)]
    return {(status, str(json.loads(body)["outputs"][0]["data"])) for status, body in found}


def test_processes_share_a_port_and_their_metrics_are_summed(served):
    before = served.value("nnspec_requests_total")
    begun = len(served.lines)
    assert ask_many(served, 40) == {(200, "[2.0, 4.0, 6.0]")}
    deadline = time.monotonic() + 10
    while len([line for line in served.lines[begun:] if line.get("path") == INFER]) < 40 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert {line["process"] for line in served.lines[begun:] if line.get("path") == INFER} == {0, 1}
    time.sleep(0.15)  # metrics are exported ten times a second at most
    assert served.value("nnspec_requests_total") - before == 41  # the first scrape is a request, too
    text = served.ask("GET", "/metrics")[1]
    assert 'nnspec_requests_total{model="scale",route="infer",status="200"} 40.0' in text
    assert 'nnspec_batch_rows_count{model="scale",version="1"} 40.0' in text
    assert served.value("nnspec_processes") == 2


def test_a_process_that_is_killed_is_replaced_and_reported_while_the_other_one_answers(served):
    requests = served.value("nnspec_requests_total")
    begun, killed = len(served.lines), served.workers()[0]
    os.kill(killed, signal.SIGKILL)
    # Connections to the socket of the killed process wait for its replacement.
    assert ask_many(served, 20) == {(200, "[2.0, 4.0, 6.0]")}
    ended, started = served.event("process ended", begun), served.event("process started", begun)
    assert (ended["pid"], ended["status"], started["process"]) == (killed, "SIGKILL", ended["process"])
    assert started["pid"] in served.workers()
    assert len(served.workers()) == 2
    time.sleep(0.15)
    assert served.value("nnspec_process_restarts_total") == 1
    assert served.value("nnspec_processes") == 2
    assert served.value("nnspec_requests_total") > requests


def test_health_is_reported_by_each_process(served):
    assert {served.ask("GET", f"/v2/health/{what}")[0] for what in ("live", "ready") for _ in range(10)} == {200}


def test_a_port_of_another_server_is_an_error(served, tmp_path):
    file = models.write(tmp_path / "a.onnx", models.scale())
    command = [sys.executable, "-m", "nnspec", "serve", str(file), "--processes", "2", "--port", str(served.port)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1, port {served.port}" in done.stderr


def test_a_model_that_cannot_be_served_is_reported_once(tmp_path):
    file = models.write(tmp_path / "a.onnx", models.scale(), record=None)
    done = subprocess.run(
        [sys.executable, "-m", "nnspec", "serve", str(file), "--processes", "3", "--port", "0"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("no parity record") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_after_a_signal_all_processes_finish_their_requests(tmp_path, number):
    file = models.write(tmp_path / "a.onnx", models.scale())
    statuses, lost = [], []
    with serving(file, "--processes", "2") as found:
        port = found.port

        def ask():
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            while True:
                try:
                    if connection.sock is None:
                        connection.connect()
                except ConnectionRefusedError:
                    return
                try:
                    statuses.append(found.ask("POST", INFER, request(), connection)[0])
                except (OSError, http.client.HTTPException) as error:
                    lost.append(repr(error))
                    return

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        found.process.send_signal(number)
        for thread in threads:
            thread.join(20)
        assert found.process.wait(20) == 0
        assert found.process.stderr.read() == ""
        assert lost == []
        assert set(statuses) == {200}
        assert found.event("ended")
        assert [line["process"] for line in found.lines if line["event"] == "draining"] in ([0, 1], [1, 0])


def test_processes_without_their_supervisor_end(tmp_path):
    file = models.write(tmp_path / "a.onnx", models.scale())
    with serving(file, "--processes", "2") as found:
        port, workers = found.port, found.workers()
        assert len(workers) == 2
        found.process.kill()
        deadline = time.monotonic() + 15
        while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
            time.sleep(0.05)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


def test_the_threads_are_divided_by_the_processes(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)))
    assert [default_threads(count) for count in (1, 2, 4, 32)] == [15, 7, 3, 1]
