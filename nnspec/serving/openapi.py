"""The server's routes as OpenAPI 3.1: ``/openapi.json``, with the inputs and outputs of the models that it serves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import nnspec
from nnspec.serving.generate_routes import samples_of
from nnspec.serving.infer_request import HEADER_LENGTH
from nnspec.serving.repository import Repository
from nnspec.serving.responses import json_response
from nnspec.serving.schemas import (
    description_schema,
    infer_request,
    infer_response,
    metadata_schema,
    object_of,
    prediction_schema,
    preprocess_response,
    row_schema,
    samples_schema,
)
from nnspec.serving.served import Served
from nnspec.serving.state import State

Json = dict[str, Any]

_TEXT: Json = {"schema": {"type": "string", "minLength": 1}}
_PNG: Json = {"schema": {"type": "string", "contentMediaType": "image/png"}}
_LIMITS: list[Json] = [
    {"name": "score", "in": "query", "description": "The least score of an object.", "schema": {"type": "number"}},
    {
        "name": "top",
        "in": "query",
        "description": "The most objects of an image, best first.",
        "schema": {"type": "integer", "minimum": 1},
    },
]
_READY = object_of({"ready": {"type": "boolean"}, "live": {"type": "boolean"}})
_ERRORS: Json = {
    status: {
        "description": what,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    for status, what in (("4XX", "The request was rejected."), ("5XX", "The server is overloaded, or failed."))
}


def routes() -> list[BaseRoute]:
    """The route."""
    return [Route("/openapi.json", openapi, name="openapi")]


async def openapi(request: Request) -> Response:
    """Return the description of the server."""
    state = State.of(request)
    return json_response(document(state.repository, has_tokens=bool(state.settings.tokens)))


def document(repository: Repository, *, has_tokens: bool) -> Json:
    """Describe a server. Each model has paths of its own, whose schemas are those of its inputs and outputs.

    Args:
        repository: The models.
        has_tokens: Whether requests need a bearer token.
    """
    names = repository.names
    paths = dict(_server_paths())
    for name in names:
        served = repository.find(name)
        paths |= _model_paths(served, [""] if len(names) > 1 else ["", "only"], repository.versions(name))
    described: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": f"nnspec serve: {', '.join(names)}",
            "version": nnspec.__version__,
            "description": "The Open Inference Protocol v2, and routes that take data in the format of the training data.",
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": {"Error": object_of({"error": {"type": "string"}})}},
    }
    if has_tokens:
        described["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        described["security"] = [{"token": []}]
    return described


def _server_paths() -> Iterator[tuple[str, Json]]:
    metadata = {name: {"type": "string"} for name in ("name", "version")}
    index = {name: {"type": "string"} for name in ("name", "version", "state")}
    public: Json = {"security": []}
    live = _get("Whether the process is live", object_of({"live": {"type": "boolean"}}))["get"]
    ready = _get("Whether the server accepts requests", _READY, unready=True)["get"]
    yield "/v2", _get("Server metadata", object_of({**metadata, "extensions": _list({"type": "string"})}))
    yield "/v2/health/live", {"get": {**live, **public}}
    yield "/v2/health/ready", {"get": {**ready, **public}}
    yield "/v2/models", _get("Names of all models", object_of({"models": _list({"type": "string"})}))
    yield "/v2/repository/index", {"post": _operation("Models and versions", {"application/json": _list(object_of(index))})}
    yield "/predict", _get("Inputs of all models", object_of({"models": _list(description_schema())}))
    yield "/metrics", {"get": _operation("Prometheus metrics", {"text/plain": {"type": "string"}})}
    yield "/openapi.json", _get("This description", {"type": "object"})
    yield "/", {"get": _operation("Demo page", {"text/html": {"type": "string"}}) | public}


def _model_paths(served: Served, ends: list[str], versions: list[str]) -> Json:
    """The paths of a model; those without its name too if it is the only one."""
    name = served.name
    paths: Json = {}
    model = f"/v2/models/{name}"
    ready = object_of({"name": {"const": name}, "ready": {"type": "boolean"}})
    infer = _operation(
        f"Run {name} on tensors",
        {"application/json": infer_response(served), "application/octet-stream": {"type": "string"}},
        {"application/json": {"schema": infer_request(served)}, "application/octet-stream": _TEXT},
    )
    infer["description"] = f"Binary tensors follow the JSON, whose length is the header `{HEADER_LENGTH}`."
    for path in (model, *(f"{model}/versions/{version}" for version in versions)):
        paths[path] = _get(f"Inputs and outputs of {name}", metadata_schema(served))
        paths[f"{path}/ready"] = _get(f"Whether {name} is ready", ready, unready=True)
        paths[f"{path}/infer"] = {"post": infer}
    paths[f"/predict/{name}"] = _get(f"Inputs of {name} in the format of its data", description_schema())
    paths[f"/predict/{name}/examples"] = _get(f"Examples in the file of {name}", object_of({"examples": _list(_row(served))}))
    for end in ends:
        last = f"/{name}" if not end else ""
        if served.request_decoder is not None:
            predict = _operation(f"Predict with {name}", {"application/json": prediction_schema(served)}, _data(served))
            if served.predictor.detector is not None:
                predict["parameters"] = _LIMITS
            paths.setdefault(f"/predict{last}", {})["post"] = predict
            paths[f"/preprocess{last}"] = {"post": _preprocess(served)}
        if samples_of(served.predictor) is not None:
            paths[f"/generate{last}"] = {"post": _generate(served)}
    if "only" in ends and served.request_decoder is not None:
        paths["/predict"] = {"get": dict(_server_paths())["/predict"]["get"], **paths["/predict"]}
    return paths


def _row(served: Served) -> Json:
    return {"type": "object"} if served.request_decoder is None else row_schema(served.request_decoder, examples=True)


def _data(served: Served) -> Json:
    """The bodies of requests in the format of the training data."""
    decoder = served.request_decoder
    assert decoder is not None
    row = row_schema(decoder)
    body: Json = {"application/json": {"schema": {"anyOf": [row, {"type": "array", "items": row, "minItems": 1}]}}}
    if decoder.kind == "image":
        images = {
            kind: {"schema": {"type": "string", "minLength": 1, "contentMediaType": kind}}
            for kind in ("image/png", "image/jpeg")
        }
        return {**images, **body}
    body |= {"text/plain": _TEXT} if decoder.kind == "text" else {}
    return body | {"text/csv": {"schema": {**_TEXT["schema"], "description": f"Rows of {', '.join(decoder.columns)}"}}}


def _preprocess(served: Served) -> Json:
    content: Json = {"application/json": preprocess_response(served)}
    if served.request_decoder is not None and served.request_decoder.kind == "image":
        content["image/png"] = _PNG["schema"]
    return _operation(f"The inputs of {served.name} that a request to /predict becomes", content, _data(served))


def _generate(served: Served) -> Json:
    wanted = {
        "number": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1, "default": 1},
        "seed": {"type": "integer", "minimum": 0, "maximum": 2**32 - 1, "default": 0},
        "conditions": {"type": "object", "default": {}},
    }
    body = {"application/json": {"schema": {"type": "object", "properties": wanted, "additionalProperties": False}}}
    content = {"application/json": samples_schema(served), "image/png": _PNG["schema"]}
    return _operation(f"Samples of {served.name}", content, body, required=False)


def _get(summary: str, schema: Json, *, unready: bool = False) -> Json:
    operation = _operation(summary, {"application/json": schema})
    if unready:
        operation["responses"]["503"] = {"description": "Not ready.", "content": {"application/json": {"schema": schema}}}
    return {"get": operation}


def _operation(summary: str, responses: Json, body: Json | None = None, *, required: bool = True) -> Json:
    """An operation.

    Args:
        summary: What it does.
        responses: The schema of each content type of a response.
        body: The content types of the request; None if it has no body.
        required: Whether a body is required.
    """
    content = {kind: {"schema": schema} for kind, schema in responses.items()}
    operation: Json = {"summary": summary, "responses": {"200": {"description": summary, "content": content}, **_ERRORS}}
    return operation if body is None else {**operation, "requestBody": {"content": body, "required": required}}


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}
