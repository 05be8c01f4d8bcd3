"""Middleware around all routes: authorization, logging, metrics, and JSON errors."""

from __future__ import annotations

import asyncio
import hmac
import traceback
from time import perf_counter
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nnspec.serving.errors import RequestError
from nnspec.serving.hosts import require_host
from nnspec.serving.responses import error, refusal
from nnspec.serving.state import State

_PUBLIC_PATHS = ("/", "/v2/health/live", "/v2/health/ready")
"""Paths that require no token: the page, which contains no data, and health checks."""


class Middleware:
    """The middleware of the application.

    Args:
        app: The application with the routes.
        state: The state of the server.
    """

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        start = perf_counter()
        response = _TrackedSend(send, closing=lambda: self._state.draining)
        try:
            headers = Headers(scope=scope)
            require_host(headers.getlist("host"), self._state.settings.hosts)
            if scope["path"] not in _PUBLIC_PATHS and not self._is_authorized(headers):
                raise RequestError(401, "this server requires a bearer token", {"WWW-Authenticate": "Bearer"})
            await self._app(scope, receive, response.send)
        except RequestError as refused:
            self._state.journal.log_advice(scope["path"], refused)
            await response.send_instead(refusal(refused), scope, receive)
        except asyncio.CancelledError:
            raise
        except Exception as failure:
            self._state.journal.log("failed", path=scope["path"], error=repr(failure), trace=traceback.format_exc())
            await response.send_instead(error(500, "internal server error; see the server's log"), scope, receive)
        finally:
            self._record(scope, response, perf_counter() - start)
        return None

    def _is_authorized(self, headers: Headers) -> bool:
        tokens = self._state.settings.tokens
        if not tokens:
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        received = token.strip().encode("latin-1")
        # Compare with all tokens, each in constant time.
        matches = [hmac.compare_digest(received, accepted) for accepted in tokens]
        return scheme.lower() == "bearer" and any(matches)

    def _record(self, scope: Scope, response: _TrackedSend, seconds: float) -> None:
        route = getattr(scope.get("route"), "name", None) or "none"
        model = scope.get("state", {}).get("model", "")
        metrics = self._state.metrics
        metrics.requests.labels(route, model, str(response.status)).inc()
        metrics.seconds.labels(route, model).observe(seconds)
        if self._state.settings.access_log:
            client = scope.get("client")
            self._state.journal.log(
                "request",
                client=client[0] if client else None,
                method=scope["method"],
                path=scope["path"][:500],
                status=response.status,
                bytes=response.size,
                ms=round(seconds * 1000, 3),
                model=model or None,
            )


class _TrackedSend:
    """Sends a response, and records its status and size."""

    def __init__(self, send: Send, closing: Any) -> None:
        self._send = send
        self._closing = closing
        self.status = 499
        self.size = 0
        self._started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._started = True
            headers = MutableHeaders(scope=message)
            headers["X-Content-Type-Options"] = "nosniff"
            if self._closing():
                headers["Connection"] = "close"
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))
        await self._send(message)

    async def send_instead(self, response: ASGIApp, scope: Scope, receive: Receive) -> None:
        """Send another response, unless one has started."""
        if not self._started:
            await response(scope, receive, self.send)
