"""The routes of the Open Inference Protocol v2."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import nnspec
from nnspec.serving.answering import answer
from nnspec.serving.bodies import packed
from nnspec.serving.messages import HEADER_LENGTH, Inference, read_inference, write_inference
from nnspec.serving.responses import json_response
from nnspec.serving.served import Served
from nnspec.serving.state import State

__all__ = ["routes"]

_LARGE = 256 * 1024
"""Bytes of a body that is read in a thread, so that the loop goes on."""


def routes() -> list[BaseRoute]:
    """The protocol's routes."""
    model = "/v2/models/{model}"
    version = model + "/versions/{version}"
    return [
        Route("/v2", server, name="server"),
        Route("/v2/health/live", live, name="live"),
        Route("/v2/health/ready", ready, name="ready"),
        Route("/v2/models", models, name="models"),
        Route("/v2/repository/index", index, methods=["POST"], name="index"),
        *(Route(path, metadata, name="metadata") for path in (model, version)),
        *(Route(f"{path}/ready", model_ready, name="model_ready") for path in (model, version)),
        *(Route(f"{path}/infer", infer, methods=["POST"], name="infer") for path in (model, version)),
    ]


async def server(request: Request) -> Response:
    """What the server is."""
    del request
    return json_response({"name": "nnspec", "version": nnspec.__version__, "extensions": ["binary_tensor_data"]})


async def live(request: Request) -> Response:
    """Whether the process runs."""
    del request
    return json_response({"live": True})


async def ready(request: Request) -> Response:
    """Whether requests should be sent here; no longer from SIGTERM on."""
    is_ready = not State.of(request).draining
    return json_response({"ready": is_ready, "live": True}, 200 if is_ready else 503)


async def models(request: Request) -> Response:
    """The names of all models."""
    return json_response({"models": State.of(request).repository.names})


async def index(request: Request) -> Response:
    """Triton's list of all models and versions."""
    listed = [{"name": one.name, "version": one.version, "state": "READY"} for one in State.of(request).repository]
    return json_response(listed)


async def metadata(request: Request) -> Response:
    """What a model takes and gives."""
    repository = State.of(request).repository
    served = _asked(request)
    return json_response({**served.description, "versions": repository.versions(served.name)})


async def model_ready(request: Request) -> Response:
    """Whether a model answers."""
    served = _asked(request)
    is_ready = not State.of(request).draining
    return json_response({"name": served.name, "ready": is_ready}, 200 if is_ready else 503)


async def infer(request: Request) -> Response:
    """A model's outputs for tensors."""
    state = State.of(request)
    served = _asked(request)
    since = asyncio.get_running_loop().time()
    async with state.bodies.read(request) as body:
        told = await _read(body, request.headers.get(HEADER_LENGTH), served)
        seconds = min(state.settings.deadline, told.timeout or state.settings.deadline)
        outputs = await answer(request, served, told.inputs, since=since, seconds=seconds)
        content, headers = await _written(told, outputs, served, request.headers.get("accept-encoding", ""))
    return Response(content, 200, headers)


def _asked(request: Request) -> Served:
    found = State.of(request).repository.find(request.path_params["model"], request.path_params.get("version"))
    request.state.model = found.name
    return found


async def _read(body: bytes, header_length: str | None, served: Served) -> Inference:
    ports = served.predictor.inputs, served.predictor.outputs
    if len(body) < _LARGE:
        return read_inference(body, header_length, *ports)
    return await asyncio.to_thread(read_inference, body, header_length, *ports)


async def _written(told: Inference, outputs: Any, served: Served, accepted: str) -> tuple[bytes, dict[str, str]]:
    def write() -> tuple[bytes, dict[str, str]]:
        content, headers = write_inference(told, outputs, served.name, served.version)
        content, coding = packed(content, accepted)
        return content, headers | ({"Content-Encoding": coding, "Vary": "Accept-Encoding"} if coding else {})

    if sum(array.nbytes for array in outputs.values()) < _LARGE:
        return write()
    return await asyncio.to_thread(write)
