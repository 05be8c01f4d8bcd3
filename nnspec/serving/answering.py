"""Waits for an answer: until it is there, the deadline has come, or the client has gone."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request

from nnspec.diagnostics import NnspecError
from nnspec.runtime.predictor import AnswerError
from nnspec.serving.batching import Arrays
from nnspec.serving.refusals import Refused, left, too_late
from nnspec.serving.served import Served

__all__ = ["answer"]


async def answer(request: Request, served: Served, inputs: Arrays, *, since: float, seconds: float) -> Arrays:
    """A model's outputs for a request.

    Args:
        request: Whose body has been read.
        served: The model.
        inputs: What it is given; checked here.
        since: When the request came, by the loop's clock.
        seconds: How long it may take from then on.

    Raises:
        Refused: Where the inputs do not fit, the time is over, the queue is full, the client has gone, or the model fails.
    """
    try:
        arrays = served.predictor.checked(inputs)
    except NnspecError as error:
        raise Refused(400, str(error)) from None
    waiting = served.batcher.submit(arrays)
    gone = asyncio.ensure_future(_gone(request))
    either: set[asyncio.Future[Any]] = {waiting, gone}
    try:
        remaining = since + seconds - asyncio.get_running_loop().time()
        await asyncio.wait(either, timeout=max(0.0, remaining), return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        if not waiting.done():
            waiting.cancel()
    if waiting.cancelled():
        raise left() if gone.done() and not gone.cancelled() else too_late(seconds)
    failure = waiting.exception()
    if isinstance(failure, AnswerError) and failure.of_input:
        raise Refused(400, str(failure))
    if failure is not None:
        raise failure
    return waiting.result()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
