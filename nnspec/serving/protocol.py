"""The routes of the Open Inference Protocol v2."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import nnspec
from nnspec.serving.answering import answer
from nnspec.serving.batching import Arrays
from nnspec.serving.bodies import Content
from nnspec.serving.budget import Budget
from nnspec.serving.inferred import write_inference
from nnspec.serving.messages import HEADER_LENGTH, Inference, read_inference
from nnspec.serving.responses import HeldAnswer, json_response, packed
from nnspec.serving.served import Served
from nnspec.serving.state import State
from nnspec.serving.work import Work

__all__ = ["routes"]

_INLINE = 64 * 1024
"""Bytes from which something is read or written in a thread, so that the loop goes on."""


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
    accepted = request.headers.get("accept-encoding", "")
    with state.bodies.budget() as budget:
        body = await state.bodies.read(request, budget)
        told = await _read(body, request.headers.get(HEADER_LENGTH), served, budget, state.work)
        outputs = await answer(request, served, told.inputs, budget)
        content, headers = await _written(told, outputs, served, accepted, budget, state.work)
        return HeldAnswer(content, headers, budget, state.settings.write_seconds)


def _asked(request: Request) -> Served:
    found = State.of(request).repository.find(request.path_params["model"], request.path_params.get("version"))
    request.state.model = found.name
    return found


async def _read(body: Content, header_length: str | None, served: Served, budget: Budget, work: Work) -> Inference:
    ports = served.predictor.inputs, served.predictor.outputs
    if len(body) < _INLINE:
        return read_inference(body, header_length, *ports, budget)
    return await work.run(len(body), read_inference, body, header_length, *ports, budget)


async def _written(
    told: Inference, outputs: Arrays, served: Served, accepted: str, budget: Budget, work: Work
) -> tuple[Content, dict[str, str]]:
    def write() -> tuple[Content, dict[str, str]]:
        plain, headers = write_inference(told, outputs, served.name, served.version, budget)
        content, coding = packed(plain, accepted)
        return content, headers | ({"Content-Encoding": coding, "Vary": "Accept-Encoding"} if coding else {})

    size = sum(array.nbytes for array in outputs.values())
    return write() if size < _INLINE else await work.run(size, write)
