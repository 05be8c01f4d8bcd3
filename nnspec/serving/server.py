"""``serve``: run the server until a signal stops it."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import select
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from nnspec.diagnostics import NnspecError
from nnspec.serving.app import application
from nnspec.serving.bodies import Bodies
from nnspec.serving.connection import limited
from nnspec.serving.hosts import allowed_hosts
from nnspec.serving.journal import Journal
from nnspec.serving.loading import named_sources
from nnspec.serving.metrics import Metrics
from nnspec.serving.repository import Repository
from nnspec.serving.settings import Settings
from nnspec.serving.state import State
from nnspec.serving.thread_pools import ThreadPools

BACKLOG = 1024
_ACCEPT_SECONDS = 5.0
"""Maximum seconds to accept connections that are already waiting."""
_GRACE_SECONDS = 0.2
"""Seconds in which the last accepted connections may send their request, before idle ones are closed."""
_SWITCH_SECONDS = 1e-4
"""Interval at which Python threads switch. With the default of 5 ms, a finished batch waits for threads that parse bodies,
which costs a third of the throughput."""


def serve(
    models: Sequence[str],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    settings: Settings | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
) -> None:
    """Serve models until SIGTERM or SIGINT. Requests received before the signal are completed.

    Args:
        models: Files and folders, as for [`named_sources`][nnspec.serving.loading.named_sources].
        host: The address to listen on.
        port: The port; 0 for a free port, which the first log line reports.
        settings: Other settings.
        certificate: A PEM file, for TLS.
        key: The private key, if it is not in the same file.

    Raises:
        NnspecError: If a model cannot be served, or the address is not available.
    """
    settings = settings or Settings()
    settings = replace(settings, hosts=allowed_hosts(host, settings.hosts or ()))
    journal = Journal()
    try:
        state = prepare(models, settings, journal, certificate, key)
        with bound(host, port) as listening:
            listening.listen(BACKLOG)  # accept connections before the address is logged
            journal.log("serving", url=url_of(listening, certificate), models=state.repository.descriptions)
            Server(state, listening, certificate, key).run(sockets=[listening])
            journal.log("ended")
    finally:
        journal.close()


def prepare(
    models: Sequence[str], settings: Settings, journal: Journal, certificate: Path | None = None, key: Path | None = None
) -> State:
    """Prepare this process to serve, and load the models.

    Raises:
        NnspecError: If a model cannot be served, or the certificate cannot be used.
    """
    prepare_process(settings.connections)
    sys.setswitchinterval(_SWITCH_SECONDS)
    state = create_state(models, settings, journal)
    _check_certificate(certificate, key)
    return state


def url_of(listening: socket.socket, certificate: Path | None) -> str:
    """The URL of a server."""
    host, port = listening.getsockname()[:2]
    return f"{'https' if certificate else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def create_state(models: Sequence[str], settings: Settings, journal: Journal) -> State:
    """Create the shared state of a server and load its models.

    Raises:
        NnspecError: If a model cannot be served.
    """
    metrics = Metrics()
    repository = Repository(named_sources(models), settings, metrics, journal.log)
    work = ThreadPools()
    return State(settings, repository, metrics, journal, Bodies(settings, work), work)


def read_tokens(path: Path) -> frozenset[bytes]:
    """Read the tokens in a file, one per line.

    Raises:
        NnspecError: If the file cannot be read or contains no token.
    """
    try:
        tokens = frozenset(line.strip() for line in path.read_bytes().splitlines() if line.strip())
    except OSError as error:
        raise NnspecError(f"cannot read the tokens in `{path}`: {error.strerror}") from error
    if not tokens:
        raise NnspecError(
            f"`{path}` contains no token\n  = help: write one token per line; `openssl rand -hex 32` generates one"
        )
    return tokens


class Server(uvicorn.Server):
    """uvicorn's server with a graceful shutdown: after the first signal, each connection is closed with its next response.

    Closing a connection while the client is sending would lose its request; announcing it with ``Connection: close`` does not.

    Args:
        state: The shared state.
        listening: The listening socket.
        certificate: A PEM file, for TLS.
        key: The private key, if it is not in the same file.
    """

    def __init__(
        self, state: State, listening: socket.socket, certificate: Path | None = None, key: Path | None = None
    ) -> None:
        settings = state.settings
        config = uvicorn.Config(
            application(state),
            http=limited(settings),
            ws="none",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            ssl_certfile=certificate,
            ssl_keyfile=key,
            # Longer than most client pools keep a connection: no request is lost if the client closes first.
            timeout_keep_alive=75,
            timeout_graceful_shutdown=int(settings.deadline) + 5,
        )
        super().__init__(config)
        self._state = state
        self._listening = listening

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        self._loop = asyncio.get_running_loop()
        if threading.current_thread() is not threading.main_thread():
            yield  # signals can be handled only in the main thread
            return
        stopping = [signal.SIGINT, signal.SIGTERM]
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # `nohup` ignores it
            stopping.append(signal.SIGHUP)
        before = {number: signal.signal(number, self.handle_exit) for number in stopping}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        del frame
        # A signal handler may interrupt any code, also while a lock is held. It only schedules a callback.
        self._loop.call_soon_threadsafe(self._start_draining, sig)

    def _start_draining(self, sig: int) -> None:
        if self._state.draining:
            self.should_exit = self.force_exit = sig == signal.SIGINT or self.should_exit
            return
        self._state.draining = True
        self._state.journal.log("draining", signal=signal.Signals(sig).name)
        self._loop.call_later(self._state.settings.drain_seconds, self._stop_listening)

    def _stop_listening(self) -> None:
        # Closing the socket would reset connections in its backlog. Stop adding to the backlog, and close the socket when it is
        # empty.
        self._listening.listen(0)
        self._close_when_empty(self._loop.time() + _ACCEPT_SECONDS)

    def _close_when_empty(self, until: float) -> None:
        backlog = bool(select.select([self._listening], [], [], 0)[0])
        if backlog and self._loop.time() < until:
            self._loop.call_later(0.005, self._close_when_empty, until)
            return
        for server in self.servers:
            server.close()
        self._loop.call_later(_GRACE_SECONDS, self._exit)

    def _exit(self) -> None:
        self.should_exit = True


def bound(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket at an address, which does not listen yet.

    Args:
        host: The address.
        port: The port; 0 for a free one.
        shared: Whether other sockets of this user may have the same address.

    Raises:
        NnspecError: If the address is not available.
    """
    try:
        [(family, kind, proto, _, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        with contextlib.ExitStack() as closing:
            found = closing.enter_context(socket.socket(family, kind, proto))
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            found.bind(address)
            closing.pop_all()
            return found
    except OSError as error:
        raise NnspecError(f"cannot listen on {host}, port {port}: {error.strerror or error}") from error


def _check_certificate(certificate: Path | None, key: Path | None) -> None:
    """Check at startup that the certificate and the key can be loaded and match."""
    if certificate is None:
        if key is not None:
            raise NnspecError("--key requires a certificate\n  = help: add --certificate FILE")
        return
    context: Any = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ssl.SSLError) as error:
        raise NnspecError(f"`{certificate}` and its key cannot be used for TLS: {error.strerror or error}") from error


_OTHER_FILES = 256
_MMAP_THRESHOLD, _TRIM_THRESHOLD, _ARENA_MAX = -3, -1, -8
"""Parameters of glibc's `mallopt`."""
_LARGE = 256 * 1024
_TEXT_BYTES = 2**20


def prepare_process(connections: int) -> None:
    """Raise the limit of open files, and let freed memory return to the operating system.

    Args:
        connections: The maximum number of open connections.
    """
    _raise_file_limit(connections + _OTHER_FILES)
    _return_freed_memory()
    _limit_png_texts()


def _raise_file_limit(required: int) -> None:
    with suppress(ImportError, OSError, ValueError):  # not on Windows
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < required:
            most = required if hard == resource.RLIM_INFINITY else min(required, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _return_freed_memory() -> None:
    """Configure glibc, which by default keeps freed memory per thread: hundreds of megabytes after a few large requests."""
    if not sys.platform.startswith("linux"):
        return
    with suppress(OSError, AttributeError):  # another libc
        libc = ctypes.CDLL(None)
        for option, value in ((_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _LARGE), (_ARENA_MAX, 2)):
            libc.mallopt(option, value)


def _limit_png_texts() -> None:
    with suppress(ImportError):
        from PIL import PngImagePlugin

        # Pillow decompresses the text chunks of an image when it is opened. They are not used here.
        PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = _TEXT_BYTES
