"""``/predict``: what a model was trained on goes in, what it says comes out, in the words of its data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from nnspec.serving.answering import answer
from nnspec.serving.batching import Arrays
from nnspec.serving.budget import Budget
from nnspec.serving.refusals import Refused
from nnspec.serving.responses import HeldAnswer, json_response
from nnspec.serving.served import Served
from nnspec.serving.state import State

__all__ = ["routes"]


def routes() -> list[BaseRoute]:
    """The plain routes: ``GET`` says what a model takes, ``POST`` answers."""
    paths = ("/predict", "/predict/{model}")
    return [
        *(Route(path, predict, methods=["POST"], name="predict") for path in paths),
        Route("/predict", everything, name="takes"),
        Route("/predict/{model}", described, name="takes"),
    ]


async def everything(request: Request) -> Response:
    """What all models take."""
    state = State.of(request)
    return json_response({"models": [_described(state.repository.find(name)) for name in state.repository.names]})


async def described(request: Request) -> Response:
    """What a model takes."""
    return json_response(_described(_asked(request)))


async def predict(request: Request) -> Response:
    """A model's answer to a picture, a text, or rows."""
    state = State.of(request)
    served = _asked(request)
    if served.request_decoder is None:
        raise Refused(
            400, f"`{served.name}` does not say how its inputs are made from data; ask /v2/models/{served.name}/infer"
        )
    with state.bodies.budget() as budget:
        body = await state.bodies.read(request, budget)
        kind = request.headers.get("content-type", "")
        inputs = await state.work.run(len(body), served.request_decoder.read, body, kind, budget)
        del body
        rows = len(next(iter(inputs.values())))
        step = min(served.request_decoder.rows_at_once or rows, served.most_rows or rows)
        parts = []
        for start in range(0, rows, step):
            part = {name: array[start : start + step] for name, array in inputs.items()}
            parts.append((part, await answer(request, served, part, budget)))
        size = sum(array.nbytes for _, outputs in parts for array in outputs.values())
        content = await state.work.run(size, _written, served, parts, budget)
        return HeldAnswer(content, {"Content-Type": "application/json"}, budget, state.settings.write_seconds)


def _written(served: Served, parts: Sequence[tuple[Arrays, Arrays]], budget: Budget) -> bytearray:
    """The answer, written row by row."""
    assert served.request_decoder is not None
    content = bytearray(orjson.dumps({"model": served.name, "version": served.version})[:-1] + b',"predictions":[')
    place = 0
    for inputs, outputs in parts:
        for row in served.request_decoder.rows(inputs, outputs):
            if place % 64 == 0:
                budget.require_time()
            part = b"," * bool(place) + orjson.dumps(row)
            budget.room.take(len(part))
            content += part
            place += 1
    return content + b"]}"


def _asked(request: Request) -> Served:
    repository = State.of(request).repository
    name = request.path_params.get("model")
    if name is None and len(repository.names) > 1:
        raise Refused(400, f"there are several models; ask one of {', '.join(f'/predict/{one}' for one in repository.names)}")
    found = repository.find(name or repository.names[0])
    request.state.model = found.name
    return found


def _described(served: Served) -> dict[str, Any]:
    takes = served.request_decoder.description if served.request_decoder else {"takes": None}
    return {"model": served.name, "version": served.version, **takes, "classes": served.predictor.classes}
