"""The ASGI application: routes and middleware."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache, partial
from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from nnspec.html_page import html_page
from nnspec.serving import generate_routes, openapi, predict_routes, preprocess_routes, protocol
from nnspec.serving.errors import RequestError
from nnspec.serving.middleware import Middleware
from nnspec.serving.responses import error, refusal
from nnspec.serving.state import State

_GAUGE_SECONDS = 0.5


def application(state: State) -> ASGIApp:
    """Create the ASGI application.

    Args:
        state: The state shared by all requests.
    """
    app = Starlette(
        routes=[
            *protocol.routes(),
            *predict_routes.routes(),
            *preprocess_routes.routes(),
            *generate_routes.routes(),
            *openapi.routes(),
            Route("/", _page, name="page"),
            Route("/metrics", _metrics, name="metrics"),
        ],
        exception_handlers={HTTPException: _no_route, RequestError: _refused},
        lifespan=_lifespan,
    )
    app.router.redirect_slashes = False
    app.state.nnspec = state
    return Middleware(app, state)


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    state: State = app.state.nnspec
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(state.repository.watch())]
    if state.metrics.is_shared:
        tasks.append(loop.create_task(_share_gauges(state)))
    yield
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    await state.repository.close()


async def _metrics(request: Request) -> Response:
    state = State.of(request)
    text, kind = state.metrics.text(partial(_update_gauges, state))
    return Response(text, headers={"Content-Type": kind})


async def _share_gauges(state: State) -> None:
    """Update the gauges periodically, since another process may export them."""
    while True:
        await asyncio.sleep(_GAUGE_SECONDS)
        _update_gauges(state)


def _update_gauges(state: State) -> None:
    for served in state.repository:
        cost = served.batcher.cost()
        state.metrics.queue(served.name, served.version, served.batcher.waiting, cost.a, cost.b)
    state.metrics.hold(state.bodies.used)


async def _no_route(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    messages = {404: f"not found: {request.url.path[:200]}", 405: f"method {request.method} is not allowed here"}
    headers = dict(problem.headers or {})
    if problem.status_code == 405:
        # Starlette names the methods of the first route of this path only.
        fitting = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
        headers["Allow"] = ", ".join(sorted({method for route in fitting for method in route.methods or ()}))
    return error(problem.status_code, messages.get(problem.status_code, problem.detail), headers)


async def _refused(request: Request, refused: Exception) -> Response:
    assert isinstance(refused, RequestError)
    State.of(request).journal.log_advice(request.url.path, refused)
    return refusal(refused)


async def _page(request: Request) -> Response:
    """Return the page. It contains no data that requires a token; its script requests the models."""
    del request
    content, policy = _page_and_policy()
    return Response(
        content,
        headers={
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
        },
    )


@cache
def _page_and_policy() -> tuple[str, str]:
    """The page and a content security policy that allows only its own script and style."""
    own = files("nnspec.serving").joinpath("page.js").read_text("utf-8")
    content = html_page("nnspec.serving", "nnspec", script=own, is_served=True)
    script, style = (re.search(f"<{tag}>(.*?)</{tag}>", content, re.DOTALL) for tag in ("script", "style"))
    assert script is not None
    assert style is not None
    policy = (
        f"default-src 'none'; script-src {_hash(script[1])}; style-src {_hash(style[1])}; img-src blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return content, policy


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
