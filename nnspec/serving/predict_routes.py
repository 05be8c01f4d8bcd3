"""The routes of ``/predict``: requests and predictions in the format of the training data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from nnspec.runtime.predicting import GivenRows
from nnspec.serving.batching import Arrays
from nnspec.serving.budget import Budget
from nnspec.serving.errors import RequestError
from nnspec.serving.inference import compute_outputs
from nnspec.serving.request_decoder import Limits, RequestDecoder
from nnspec.serving.responses import TrackedResponse, json_response
from nnspec.serving.served import Served
from nnspec.serving.state import State


def routes() -> list[BaseRoute]:
    """The routes: ``GET`` describes the input of a model, ``POST`` predicts."""
    paths = ("/predict", "/predict/{model}")
    return [
        *(Route(path, predict, methods=["POST"], name="predict") for path in paths),
        Route("/predict", describe_all, name="takes"),
        Route("/predict/{model}", describe, name="takes"),
        Route("/predict/{model}/examples", examples, name="examples"),
    ]


async def describe_all(request: Request) -> Response:
    """Describe the inputs of all models."""
    state = State.of(request)
    return json_response({"models": [_description(state.repository.find(name)) for name in state.repository.names]})


async def describe(request: Request) -> Response:
    """Describe the input of a model."""
    return json_response(_description(find_model(request)))


async def predict(request: Request) -> Response:
    """Predict for an image, a text, or rows."""
    state = State.of(request)
    served = find_model(request)
    decoder = decoder_of(served)
    limits = Limits.of(request.query_params, served.predictor)
    with state.bodies.budget() as budget:
        body = await state.bodies.read(request, budget)
        content_type = request.headers.get("content-type", "")
        given = await state.work.run(len(body), decoder.read, body, content_type, budget)
        del body
        rows = len(next(iter(given.arrays.values())))
        step = min(decoder.rows_at_once or rows, served.max_rows or rows)
        parts = []
        for start in range(0, rows, step):
            part = given.rows(slice(start, start + step))
            outputs = await compute_outputs(request, served, dict(part.arrays), budget)
            parts.append((part, outputs))
        size = sum(array.nbytes for _, outputs in parts for array in outputs.values())
        content = await state.work.run(size, _serialize, served, parts, limits, budget)
        return TrackedResponse(content, {"Content-Type": "application/json"}, budget, state.settings.write_seconds)


def _serialize(served: Served, parts: Sequence[tuple[GivenRows, Arrays]], limits: Limits, budget: Budget) -> bytearray:
    """Serialize a response, row by row."""
    assert served.request_decoder is not None
    content = bytearray(orjson.dumps({"model": served.name, "version": served.version})[:-1] + b',"predictions":[')
    count = 0
    for part in parts:
        for row in served.request_decoder.rows(*part, limits):
            if count % 64 == 0:
                budget.require_time()
            text = b"," * bool(count) + orjson.dumps(row)
            budget.memory.reserve(len(text))
            content += text
            count += 1
    return content + b"]}"


async def examples(request: Request) -> Response:
    """Return rows of the data that the file of a model contains as examples."""
    return json_response({"examples": find_model(request).examples})


def decoder_of(served: Served) -> RequestDecoder:
    """The request decoder of a model.

    Raises:
        RequestError: If its file does not describe its inputs.
    """
    if served.request_decoder is None:
        raise RequestError(
            400, f"`{served.name}` does not describe how its inputs are computed from data; use /v2/models/{served.name}/infer"
        )
    return served.request_decoder


def find_model(request: Request, route: str = "/predict") -> Served:
    """Find the model of a request.

    Args:
        request: The request.
        route: The route, for messages.
    """
    repository = State.of(request).repository
    name = request.path_params.get("model")
    if name is None and len(repository.names) > 1:
        raise RequestError(
            400, f"several models are served; use one of {', '.join(f'{route}/{one}' for one in repository.names)}"
        )
    found = repository.find(name or repository.names[0])
    request.state.model = found.name
    return found


def _description(served: Served) -> dict[str, Any]:
    takes = served.request_decoder.description if served.request_decoder else {"takes": None}
    return {
        "model": served.name,
        "version": served.version,
        **takes,
        "classes": served.predictor.classes,
        "answers": {name: asdict(answer) for name, answer in served.predictor.answers.items()},
        "examples": len(served.examples),
        "detects": served.predictor.detector is not None,
    }
