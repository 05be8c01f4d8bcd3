"""The application: the routes and what stands before them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from nnspec.serving import page, plain, protocol
from nnspec.serving.front import Front
from nnspec.serving.refusals import Refused
from nnspec.serving.responses import error, refusal
from nnspec.serving.state import State

__all__ = ["application"]


def application(state: State) -> ASGIApp:
    """The server as an ASGI application.

    Args:
        state: What its requests share.
    """
    app = Starlette(
        routes=[*protocol.routes(), *plain.routes(), *page.routes(), Route("/metrics", _metrics, name="metrics")],
        exception_handlers={HTTPException: _no_route, Refused: _refused},
        lifespan=_living,
    )
    app.router.redirect_slashes = False
    app.state.nnspec = state
    return Front(app, state)


@asynccontextmanager
async def _living(app: Starlette) -> AsyncIterator[None]:
    state: State = app.state.nnspec
    watching = asyncio.get_running_loop().create_task(state.repository.watch())
    yield
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    await state.repository.close()


async def _metrics(request: Request) -> Response:
    state = State.of(request)
    text, kind = state.metrics.text(partial(_look, state))
    return Response(text, headers={"Content-Type": kind})


def _look(state: State) -> int:
    for served in state.repository:
        cost = served.batcher.cost()
        state.metrics.queue(served.name, served.version, served.batcher.waiting, cost.a, cost.b)
    return state.bodies.held


async def _no_route(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    said = {404: f"there is nothing at {request.url.path[:200]}", 405: f"{request.method} is not possible here"}
    return error(problem.status_code, said.get(problem.status_code, problem.detail), problem.headers)


async def _refused(request: Request, refused: Exception) -> Response:
    del request
    assert isinstance(refused, Refused)
    return refusal(refused)
