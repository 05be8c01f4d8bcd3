"""The routes of ``/preprocess``: the inputs that a request to ``/predict`` becomes."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from nnspec.runtime.sheets import image_png
from nnspec.serving.errors import RequestError
from nnspec.serving.generate_routes import accepts_png
from nnspec.serving.infer_response import write_request
from nnspec.serving.predict_routes import decoder_of, find_model
from nnspec.serving.responses import TrackedResponse
from nnspec.serving.state import State


def routes() -> list[BaseRoute]:
    """The routes: ``POST`` returns the inputs of the model, and does not run it."""
    return [Route(path, preprocess, methods=["POST"], name="preprocess") for path in ("/preprocess", "/preprocess/{model}")]


async def preprocess(request: Request) -> Response:
    """Return the inputs that a request becomes, as a request to ``/v2/models/M/infer``; or an image, if PNG is accepted."""
    state = State.of(request)
    served = find_model(request, "/preprocess")
    decoder = decoder_of(served)
    with state.bodies.budget() as budget:
        body = await state.bodies.read(request, budget)
        given = await state.work.run(len(body), decoder.read, body, request.headers.get("content-type", ""), budget)
        inputs = dict(given.arrays)
        del body
        size = sum(array.nbytes for array in inputs.values())
        content: Any
        if not accepts_png(request):
            content = await state.work.run(size, write_request, inputs, budget)
            return TrackedResponse(content, {"Content-Type": "application/json"}, budget, state.settings.write_seconds)
        if decoder.kind != "image":
            raise RequestError(406, f"`{served.name}` has no image as its input; accept JSON")
        [image] = inputs.values()
        if len(image) != 1:
            raise RequestError(406, f"the request has {len(image)} images, and one PNG is returned; accept JSON")
        budget.memory.reserve(2 * image.size)
        content = await state.work.run(size, image_png, image[0], 0, decoder.white)
        return TrackedResponse(content, {"Content-Type": "image/png"}, budget, state.settings.write_seconds)
