"""What stands before all routes: who may come in, what is written down, and that every error is JSON."""

from __future__ import annotations

import asyncio
import hmac
import traceback
from time import perf_counter
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nnspec.serving.hosts import require_host
from nnspec.serving.refusals import Refused
from nnspec.serving.responses import error, refusal
from nnspec.serving.state import State

__all__ = ["Front"]

_OPEN = ("/", "/v2/health/live", "/v2/health/ready")
"""Paths that need no token: the empty page, and what an orchestrator asks."""


class Front:
    """The outermost part of the application.

    Args:
        app: The routes.
        state: The server's.
    """

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        begun = perf_counter()
        answer = _Answer(send, closing=lambda: self._state.draining)
        try:
            headers = Headers(scope=scope)
            require_host(headers.getlist("host"), self._state.settings.hosts)
            if scope["path"] not in _OPEN and not self._lets_in(headers):
                raise Refused(401, "this server wants a bearer token", {"WWW-Authenticate": "Bearer"})
            await self._app(scope, receive, answer.send)
        except Refused as refused:
            await answer.instead(refusal(refused), scope, receive)
        except asyncio.CancelledError:
            raise
        except Exception as failure:
            self._state.journal.say("failed", path=scope["path"], error=repr(failure), trace=traceback.format_exc())
            await answer.instead(error(500, "the server failed; its log says how"), scope, receive)
        finally:
            self._tell(scope, answer, perf_counter() - begun)
        return None

    def _lets_in(self, headers: Headers) -> bool:
        tokens = self._state.settings.tokens
        if not tokens:
            return True
        kind, _, given = headers.get("authorization", "").partition(" ")
        found = given.strip().encode("latin-1")
        # All are compared, each in constant time.
        same = [hmac.compare_digest(found, token) for token in tokens]
        return kind.lower() == "bearer" and any(same)

    def _tell(self, scope: Scope, answer: _Answer, seconds: float) -> None:
        route = getattr(scope.get("route"), "name", None) or "none"
        model = scope.get("state", {}).get("model", "")
        metrics = self._state.metrics
        metrics.requests.labels(route, model, str(answer.status)).inc()
        metrics.seconds.labels(route, model).observe(seconds)
        if self._state.settings.access_log:
            client = scope.get("client")
            self._state.journal.say(
                "request",
                client=client[0] if client else None,
                method=scope["method"],
                path=scope["path"][:500],
                status=answer.status,
                bytes=answer.size,
                ms=round(seconds * 1000, 3),
                model=model or None,
            )


class _Answer:
    """What is sent, and what was."""

    def __init__(self, send: Send, closing: Any) -> None:
        self._send = send
        self._closing = closing
        self.status = 499
        self.size = 0
        self._begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._begun = True
            headers = MutableHeaders(scope=message)
            headers["X-Content-Type-Options"] = "nosniff"
            if self._closing():
                headers["Connection"] = "close"
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        await self._send(message)

    async def instead(self, response: ASGIApp, scope: Scope, receive: Receive) -> None:
        """Sends a response, where none has begun."""
        if not self._begun:
            await response(scope, receive, self.send)
