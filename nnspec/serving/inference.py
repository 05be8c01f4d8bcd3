"""Run inference for a request, until it completes, its deadline expires, or the client disconnects."""

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
from nnspec.serving.errors import RequestError, client_disconnected, deadline_exceeded
from nnspec.serving.served import Served

_MAX_PARTS = 64
"""Maximum number of parts of a request. Other requests wait for one part, not for all of them."""


async def compute_outputs(request: Request, served: Served, inputs: Arrays, budget: Budget) -> Arrays:
    """Compute a model's outputs for a request.

    A request with many rows is split into parts. Each part is queued after the previous one completes, so that other requests
    can run in between.

    Args:
        request: The request; its body has been read.
        served: The model.
        inputs: The inputs, which are validated here.
        budget: The budget of the request.

    Raises:
        RequestError: If the inputs are invalid, the deadline expires, the queue is full, or the client disconnects.
    """
    try:
        arrays = served.predictor.checked(inputs)
    except NnspecError as error:
        raise RequestError(400, str(error)) from None
    rows = max((len(array) for array in arrays.values() if array.ndim), default=1)
    if served.max_rows is not None and rows > served.max_rows:
        raise RequestError(413, f"`{served.name}` decodes at most {served.max_rows} sequences at once (--batch); send fewer")
    step = max(served.rows_at_once, -(-rows // _MAX_PARTS)) if served.rows_at_once else max(1, rows)
    expected = 0 if rows <= step else _expected_bytes(served.predictor.outputs, served.predictor.inputs, arrays)
    budget.memory.reserve(expected)
    outputs: dict[str, NDArray[Any]] = {}
    disconnected = asyncio.ensure_future(_disconnected(request))
    try:
        for start in range(0, max(1, rows), step):
            if rows <= step:
                outputs = dict(await _part(disconnected, served, arrays, budget))
                continue
            part = await _part(
                disconnected, served, {name: array[start : start + step] for name, array in arrays.items()}, budget
            )
            for name, array in part.items():
                if name not in outputs:
                    outputs[name] = np.empty((rows, *array.shape[1:]), array.dtype)
                outputs[name][start : start + step] = array
    finally:
        disconnected.cancel()
    budget.memory.reserve(max(0, sum(array.nbytes for array in outputs.values()) - expected))
    return outputs


async def _part(disconnected: asyncio.Future[None], served: Served, arrays: Arrays, budget: Budget) -> Arrays:
    result = served.batcher.submit(arrays)
    futures: set[asyncio.Future[Any]] = {result, disconnected}
    try:
        await asyncio.wait(futures, timeout=budget.left, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not result.done():
            served.batcher.cancel(result)
    if result.cancelled():
        raise (
            client_disconnected() if disconnected.done() and not disconnected.cancelled() else deadline_exceeded(budget.seconds)
        )
    failure = result.exception()
    if isinstance(failure, AnswerError) and failure.of_input:
        raise RequestError(400, str(failure))
    if failure is not None:
        raise failure
    return result.result()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _expected_bytes(outputs: Mapping[str, Port], inputs: Mapping[str, Port], arrays: Arrays) -> int:
    """The size of the outputs in bytes, as far as it follows from the shapes of the inputs."""
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
