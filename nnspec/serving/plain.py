"""``/predict``: what a model was trained on goes in, what it says comes out, in the words of its data."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from nnspec.runtime.predicting import Predictions
from nnspec.runtime.spelling import texts_of
from nnspec.serving.answering import answer
from nnspec.serving.refusals import Refused
from nnspec.serving.responses import json_response
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
    if served.takes is None:
        raise Refused(
            400, f"`{served.name}` does not say how its inputs are made from data; ask /v2/models/{served.name}/infer"
        )
    since = asyncio.get_running_loop().time()
    async with state.bodies.read(request) as body:
        inputs = await asyncio.to_thread(served.takes.read, body, request.headers.get("content-type", ""))
        outputs = await answer(request, served, inputs, since=since, seconds=state.settings.deadline)
        found = await asyncio.to_thread(_rows, served, inputs, outputs)
    return json_response({"model": served.name, "version": served.version, "predictions": found})


def _rows(served: Served, inputs: Any, outputs: Any) -> list[dict[str, Any]]:
    predictor = served.predictor
    texts = texts_of(outputs, inputs, predictor.spellings)
    said = Predictions(outputs, predictor.classes, predictor.answers, texts=texts)
    return [{name: value for name, value in row.items() if name != "row"} for row in said.rows()]


def _asked(request: Request) -> Served:
    repository = State.of(request).repository
    name = request.path_params.get("model")
    if name is None and len(repository.names) > 1:
        raise Refused(400, f"there are several models; ask one of {', '.join(f'/predict/{one}' for one in repository.names)}")
    found = repository.find(name or repository.names[0])
    request.state.model = found.name
    return found


def _described(served: Served) -> dict[str, Any]:
    takes = served.takes.description if served.takes else {"takes": None}
    return {"model": served.name, "version": served.version, **takes, "classes": served.predictor.classes}
