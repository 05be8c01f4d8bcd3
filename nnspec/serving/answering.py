"""Waits for an answer: until it is there, the deadline has come, or the client has gone."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.requests import Request

from nnspec.diagnostics import NnspecError
from nnspec.runtime.ports import Port
from nnspec.runtime.predictor import AnswerError
from nnspec.serving.batching import Arrays
from nnspec.serving.budget import Budget
from nnspec.serving.refusals import Refused, left, too_late
from nnspec.serving.served import Served

__all__ = ["answer"]

_MOST_PARTS = 64
"""Parts that a request is computed in, at most: another waits for one of them, not for all."""


async def answer(request: Request, served: Served, inputs: Arrays, budget: Budget) -> Arrays:
    """A model's outputs for a request.

    A request of very many rows is computed in parts, each queued when the one before is done: other requests go between.

    Args:
        request: Whose body has been read.
        served: The model.
        inputs: What it is given; checked here.
        budget: What the request may use.

    Raises:
        Refused: Where the inputs do not fit, the time is over, the queue is full, the client has gone, or the model fails.
    """
    try:
        arrays = served.predictor.checked(inputs)
    except NnspecError as error:
        raise Refused(400, str(error)) from None
    rows = max((len(array) for array in arrays.values() if array.ndim), default=1)
    if served.most_rows is not None and rows > served.most_rows:
        raise Refused(413, f"`{served.name}` decodes at most {served.most_rows} sequences at once (--batch); send fewer")
    step = max(served.rows_at_once, -(-rows // _MOST_PARTS)) if served.rows_at_once else max(1, rows)
    expected = 0 if rows <= step else _expected_bytes(served.predictor.outputs, served.predictor.inputs, arrays)
    budget.room.take(expected)
    found: dict[str, NDArray[Any]] = {}
    gone = asyncio.ensure_future(_gone(request))
    try:
        for start in range(0, max(1, rows), step):
            if rows <= step:
                found = dict(await _part(gone, served, arrays, budget))
                continue
            part = await _part(gone, served, {name: array[start : start + step] for name, array in arrays.items()}, budget)
            for name, array in part.items():
                if name not in found:
                    found[name] = np.empty((rows, *array.shape[1:]), array.dtype)
                found[name][start : start + step] = array
    finally:
        gone.cancel()
    budget.room.take(max(0, sum(array.nbytes for array in found.values()) - expected))
    return found


async def _part(gone: asyncio.Future[None], served: Served, arrays: Arrays, budget: Budget) -> Arrays:
    waiting = served.batcher.submit(arrays)
    either: set[asyncio.Future[Any]] = {waiting, gone}
    try:
        await asyncio.wait(either, timeout=budget.left, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not waiting.done():
            served.batcher.cancel(waiting)
    if waiting.cancelled():
        raise left() if gone.done() and not gone.cancelled() else too_late(budget.seconds)
    failure = waiting.exception()
    if isinstance(failure, AnswerError) and failure.of_input:
        raise Refused(400, str(failure))
    if failure is not None:
        raise failure
    return waiting.result()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _expected_bytes(outputs: Mapping[str, Port], inputs: Mapping[str, Port], arrays: Arrays) -> int:
    """The bytes of the outputs, as far as they can be told from the inputs' sizes."""
    sizes = {
        name: size
        for port in inputs.values()
        for name, size in zip(port.shape, arrays[port.name].shape, strict=False)
        if isinstance(name, str)
    }
    return sum(
        np.dtype(port.dtype).itemsize
        * math.prod(size if isinstance(size, int) else sizes.get(str(size), 1) for size in port.shape)
        for port in outputs.values()
    )
