"""A server in a thread, on a free port, and a client of its raw bytes."""

from __future__ import annotations

import gzip
import http.client
import io
import json
import socket
import threading
import time
from contextlib import contextmanager

import pytest

from nnspec.serving.journal import Journal
from nnspec.serving.server import Server, create_state
from nnspec.serving.settings import Settings
from tests.serving import models


class Running:
    """A server that runs, and what is asked of it."""

    def __init__(self, port, state, log, server):
        self.port, self.state, self.log, self.server = port, state, log, server

    def ask(self, method, path, body=None, headers=None):
        """Status, headers and body of one request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def json(self, method, path, body=None, headers=None):
        """Status and JSON of one request; a body that is no bytes goes as JSON."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        status, _, answer = self.ask(method, path, content, headers)
        return status, json.loads(answer)

    def raw(self, content, *, wait=5.0):
        """Everything that comes back for bytes as they are."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as connection:
            connection.sendall(content)
            found = b""
            try:
                while part := connection.recv(65536):
                    found += part
            except TimeoutError:
                pass
            return found


@contextmanager
def running(sources, **settings):
    log = io.StringIO()
    journal = Journal(log)
    state = create_state(
        [str(source) for source in sources], Settings(**{"threads": 1, "drain_seconds": 0.1, **settings}), journal
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = Server(state, listening)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        yield Running(listening.getsockname()[1], state, log, server)
    finally:
        server.should_exit = True
        thread.join(20)
        journal.close()
        listening.close()
    assert not thread.is_alive()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Serves `scale` and `table`."""
    folder = tmp_path_factory.mktemp("models")
    files = [models.write(folder / "a.onnx", models.scale()), models.write(folder / "b.onnx", models.table())]
    with running(files) as found:
        yield found


def request(data=(1.0, 2.0, 3.0), shape=None, **more):
    """An inference of `scale`, as JSON."""
    return {"inputs": [{"name": "x", "datatype": "FP32", "shape": list(shape or [1, 3]), "data": list(data)}], **more}


def packed(body):
    return gzip.compress(json.dumps(body).encode())
