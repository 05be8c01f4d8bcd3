"""A server of S3 on this machine (moto), and a proxy before it that makes faults."""

from __future__ import annotations

import http.client
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Fault = Callable[[str, str], str | None]
"""From a method and a path, the fault: ``503``, ``403``, ``404``, ``cut``, ``stall``, ``truncate``; None for none."""

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Store:
    """A running server, and what it stores."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def _request(self, method: str, path: str, content: bytes | None = None) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {
            "Authorization": "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request",
            "x-amz-acl": "public-read",
        }
        connection.request(method, path, content, headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status >= 300:
            raise OSError(f"{method} {path}: {answer.status}")

    def make_bucket(self, bucket: str) -> None:
        self._request("PUT", f"/{bucket}")

    def put(self, bucket: str, key: str, content: bytes) -> None:
        self._request("PUT", f"/{bucket}/{key}", content)

    def delete(self, bucket: str, key: str) -> None:
        self._request("DELETE", f"/{bucket}/{key}")

    def put_folder(self, bucket: str, folder: Path) -> None:
        """Stores the files below a folder by their relative paths."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(bucket, path.relative_to(folder).as_posix(), path.read_bytes())


@contextmanager
def running_store() -> Iterator[Store]:
    """Runs the server in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **CREDENTIALS})
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end and child.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        else:
            raise OSError("the server of S3 did not start")
        yield Store(port)
    finally:
        child.terminate()
        child.wait()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def do_GET(self) -> None:
        self._forward()

    def do_HEAD(self) -> None:
        self._forward()

    def _forward(self) -> None:
        fault = self.server.fault(self.command, self.path)
        with self.server.lock:
            self.server.requests.append((self.command, self.path, self.headers.get("Range")))
        if fault == "stall":
            time.sleep(self.server.stall_seconds)
            self.close_connection = True
            return
        if fault in ("503", "403", "404"):
            self.send_response(int(fault))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=60)
        connection.request(self.command, self.path, headers=dict(self.headers))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        short = len(content) // 2 if fault in ("cut", "truncate") and content else len(content)
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", str(short) if fault == "truncate" else length or "0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[:short])
        if fault == "cut":
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        return


class Proxy(ThreadingHTTPServer):
    """A proxy that makes faults, and notes the requests.

    Attributes:
        fault: Chooses the fault of a request.
        requests: The method, the path and the range of each request.
    """

    daemon_threads = True

    def __init__(self, behind: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = behind
        self.fault: Fault = lambda method, path: None
        self.requests: list[tuple[str, str, str | None]] = []
        self.lock = threading.Lock()
        self.stall_seconds = 5.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that closes its connection is no error."""


@contextmanager
def running_proxy(store: Store) -> Iterator[Proxy]:
    proxy = Proxy(store.port)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()


def failing(fraction: float, seed: int = 1, kinds: tuple[str, ...] = ("503", "cut")) -> Fault:
    """Faults of a fraction of the requests for objects."""
    draw = random.Random(seed)
    lock = threading.Lock()

    def fault(method: str, path: str) -> str | None:
        with lock:
            return draw.choice(kinds) if method == "GET" and draw.random() < fraction else None

    return fault
