"""``serve``: from models and settings to a process that answers, until it is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import select
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Iterator, Sequence
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
from nnspec.serving.metrics import Metrics
from nnspec.serving.process import prepare_process
from nnspec.serving.repository import Repository
from nnspec.serving.settings import Settings
from nnspec.serving.sources import named_sources
from nnspec.serving.state import State
from nnspec.serving.work import Work

__all__ = ["Server", "read_tokens", "serve", "state_of"]

_LAST_ACCEPTED = 5.0
"""Seconds for which connections that wait already are accepted, at most."""
_LAST_WORD = 0.2
"""Seconds for which those that were accepted last may send what they opened a connection for, before idle ones are told."""
_SWITCH_SECONDS = 1e-4
"""How long a thread that wants to run Python waits for another that does. A batch that is done would wait 5 ms by default while
bodies are read, and its cores with it: that was a third of the rows a second."""


def serve(
    models: Sequence[str],
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    settings: Settings | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
) -> None:
    """Serves models until SIGTERM or SIGINT; requests that have come by then are answered.

    Args:
        models: As for [`named_sources`][nnspec.serving.sources.named_sources].
        host: The address to listen on.
        port: The port; 0 for any that is free, which the first line written says.
        settings: What else the server is told.
        certificate: A PEM file, for TLS.
        key: Its key, where that is not in the same file.

    Raises:
        NnspecError: Where a model cannot be served, or the address cannot be listened on.
    """
    settings = settings or Settings()
    settings = replace(settings, hosts=allowed_hosts(host, settings.hosts or ()))
    prepare_process(settings.connections)
    journal = Journal()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        state = state_of(models, settings, journal)
        _require_pair(certificate, key)
        with _listen(host, port) as listening:
            scheme = "https" if certificate else "http"
            bound = listening.getsockname()
            journal.say(
                "serving",
                url=f"{scheme}://{f'[{bound[0]}]' if ':' in bound[0] else bound[0]}:{bound[1]}",
                models=[f"{one.name}/{one.version}" for one in state.repository],
            )
            Server(state, listening, certificate, key).run(sockets=[listening])
            journal.say("ended")
    finally:
        journal.close()


def state_of(models: Sequence[str], settings: Settings, journal: Journal) -> State:
    """What the requests of a server share, its models loaded.

    Raises:
        NnspecError: Where a model cannot be served.
    """
    metrics = Metrics()
    repository = Repository(named_sources(models), settings, metrics, journal.say)
    work = Work()
    return State(settings, repository, metrics, journal, Bodies(settings, work), work)


def read_tokens(path: Path) -> frozenset[bytes]:
    """The tokens of a file, one a line.

    Raises:
        NnspecError: Where it cannot be read, or holds none.
    """
    try:
        tokens = frozenset(line.strip() for line in path.read_bytes().splitlines() if line.strip())
    except OSError as error:
        raise NnspecError(f"cannot read the tokens in `{path}`: {error.strerror}") from error
    if not tokens:
        raise NnspecError(f"`{path}` holds no token\n  = help: write one a line; `openssl rand -hex 32` makes one")
    return tokens


class Server(uvicorn.Server):
    """uvicorn's server, which on the first signal goes on for a while and closes each connection with its answer.

    A connection that is closed while a client is sending on it loses that request; one that was told to close does not.

    Args:
        state: What its requests share.
        listening: The socket it listens on.
        certificate: A PEM file, for TLS.
        key: Its key, where that is not in the same file.
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
            # Longer than the pools of most clients keep one: who closes first loses no request.
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
            yield  # only there can signals be listened to
            return
        ending = [signal.SIGINT, signal.SIGTERM]
        if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # `nohup` has it ignored
            ending.append(signal.SIGHUP)
        before = {number: signal.signal(number, self.handle_exit) for number in ending}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        del frame
        # A handler runs between any two lines of this thread, within a lock of the journal too: all it does is call the loop.
        self._loop.call_soon_threadsafe(self._told_to_end, sig)

    def _told_to_end(self, sig: int) -> None:
        if self._state.draining:
            self.should_exit = self.force_exit = sig == signal.SIGINT or self.should_exit
            return
        self._state.draining = True
        self._state.journal.say("draining", signal=signal.Signals(sig).name)
        self._loop.call_later(self._state.settings.drain_seconds, self._stop_listening)

    def _stop_listening(self) -> None:
        # A socket that is closed resets the connections that wait to be accepted: nobody new is let in to wait, and it is
        # closed in a moment in which nobody does.
        self._listening.listen(0)
        self._close_when_empty(self._loop.time() + _LAST_ACCEPTED)

    def _close_when_empty(self, until: float) -> None:
        someone_waits = bool(select.select([self._listening], [], [], 0)[0])
        if someone_waits and self._loop.time() < until:
            self._loop.call_later(0.005, self._close_when_empty, until)
            return
        for server in self.servers:
            server.close()
        self._loop.call_later(_LAST_WORD, self._exit)

    def _exit(self) -> None:
        self.should_exit = True


def _listen(host: str, port: int) -> socket.socket:
    try:
        [(family, kind, proto, _, address), *_] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        with contextlib.ExitStack() as closing:
            found = closing.enter_context(socket.socket(family, kind, proto))
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(address)
            found.listen(1024)  # from the line that says so on, nobody is turned away
            closing.pop_all()
            return found
    except OSError as error:
        raise NnspecError(f"cannot listen on {host}, port {port}: {error.strerror or error}") from error


def _require_pair(certificate: Path | None, key: Path | None) -> None:
    """Refuses a certificate and a key that do not belong together, before a client finds out."""
    if certificate is None:
        if key is not None:
            raise NnspecError("a key needs its certificate\n  = help: name it with --certificate")
        return
    context: Any = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ssl.SSLError) as error:
        raise NnspecError(f"`{certificate}` and its key cannot be used for TLS: {error.strerror or error}") from error
