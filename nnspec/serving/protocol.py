"""The routes of the Open Inference Protocol v2."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import nnspec
from nnspec.serving.batching import Arrays
from nnspec.serving.bodies import Content
from nnspec.serving.budget import Budget
from nnspec.serving.infer_request import HEADER_LENGTH, Inference, read_inference
from nnspec.serving.infer_response import write_inference
from nnspec.serving.inference import compute_outputs
from nnspec.serving.responses import TrackedResponse, compressed, json_response
from nnspec.serving.served import Served
from nnspec.serving.state import State
from nnspec.serving.thread_pools import ThreadPools

_INLINE = 64 * 1024
"""Bodies of at least this size are parsed or serialized in a thread, to not block the event loop."""


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
    """Return the server metadata."""
    del request
    return json_response({"name": "nnspec", "version": nnspec.__version__, "extensions": ["binary_tensor_data"]})


async def live(request: Request) -> Response:
    """Return whether the process is live."""
    del request
    return json_response({"live": True})


async def ready(request: Request) -> Response:
    """Return whether the server accepts requests; false after SIGTERM."""
    is_ready = not State.of(request).draining
    return json_response({"ready": is_ready, "live": True}, 200 if is_ready else 503)


async def models(request: Request) -> Response:
    """List the names of all models."""
    return json_response({"models": State.of(request).repository.names})


async def index(request: Request) -> Response:
    """List all models and versions, as Triton does."""
    listed = [{"name": one.name, "version": one.version, "state": "READY"} for one in State.of(request).repository]
    return json_response(listed)


async def metadata(request: Request) -> Response:
    """Return the inputs and outputs of a model."""
    repository = State.of(request).repository
    served = _find_model(request)
    return json_response({**served.description, "versions": repository.versions(served.name)})


async def model_ready(request: Request) -> Response:
    """Return whether a model is ready."""
    served = _find_model(request)
    is_ready = not State.of(request).draining
    return json_response({"name": served.name, "ready": is_ready}, 200 if is_ready else 503)


async def infer(request: Request) -> Response:
    """Run a model on tensors."""
    state = State.of(request)
    served = _find_model(request)
    accepted = request.headers.get("accept-encoding", "")
    with state.bodies.budget() as budget:
        body = await state.bodies.read(request, budget)
        inference = await _read(body, request.headers.get(HEADER_LENGTH), served, budget, state.work)
        outputs = await compute_outputs(request, served, inference.inputs, budget)
        content, headers = await _serialize(inference, outputs, served, accepted, budget, state.work)
        return TrackedResponse(content, headers, budget, state.settings.write_seconds)


def _find_model(request: Request) -> Served:
    found = State.of(request).repository.find(request.path_params["model"], request.path_params.get("version"))
    request.state.model = found.name
    return found


async def _read(body: Content, header_length: str | None, served: Served, budget: Budget, work: ThreadPools) -> Inference:
    ports = served.predictor.inputs, served.predictor.outputs
    if len(body) < _INLINE:
        return read_inference(body, header_length, *ports, budget)
    return await work.run(len(body), read_inference, body, header_length, *ports, budget)


async def _serialize(
    inference: Inference, outputs: Arrays, served: Served, accepted: str, budget: Budget, work: ThreadPools
) -> tuple[Content, dict[str, str]]:
    def write() -> tuple[Content, dict[str, str]]:
        plain, headers = write_inference(inference, outputs, served.name, served.version, budget)
        content, coding = compressed(plain, accepted)
        return content, headers | ({"Content-Encoding": coding, "Vary": "Accept-Encoding"} if coding else {})

    size = sum(array.nbytes for array in outputs.values())
    return write() if size < _INLINE else await work.run(size, write)
