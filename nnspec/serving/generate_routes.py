"""The routes of ``/generate``: samples of a generator or sampler, from random values that the server draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from nnspec.diagnostics import NnspecError
from nnspec.runtime.metadata import SAMPLES
from nnspec.runtime.predictor import Predictor
from nnspec.runtime.samples import Samples
from nnspec.runtime.sheets import is_image, sheet
from nnspec.serving.bodies import Content
from nnspec.serving.budget import BYTES_A_VALUE, Budget
from nnspec.serving.errors import RequestError
from nnspec.serving.inference import compute_outputs
from nnspec.serving.predict_routes import find_model
from nnspec.serving.responses import TrackedResponse
from nnspec.serving.served import Served
from nnspec.serving.state import State

_NOISE_AT_ONCE = 2**22
"""The bytes of random values that are drawn at once, unless one sample needs more."""

_KEYS = {"number": 1, "seed": 0, "conditions": {}}
"""What a request contains, with the defaults."""


@dataclass(frozen=True)
class _Wanted:
    """What a request asks for."""

    number: int
    seed: int
    conditions: Mapping[str, str]


def routes() -> list[BaseRoute]:
    """The routes: ``POST`` generates samples."""
    return [Route(path, generate, methods=["POST"], name="generate") for path in ("/generate", "/generate/{model}")]


async def generate(request: Request) -> Response:
    """Generate samples, as JSON, or as one PNG if the client accepts only that."""
    state = State.of(request)
    served = find_model(request, "/generate")
    samples = samples_of(served.predictor)
    if samples is None:
        raise RequestError(400, f"`{served.name}` generates no samples from random values; use /predict or /v2/models")
    with state.bodies.budget() as budget:
        wanted = _read(await state.bodies.read(request, budget))
        budget.require_rows(wanted.number)
        try:
            chosen = samples.chosen(wanted.conditions, wanted.number)
        except NnspecError as error:
            message, _, help = str(error).partition("\n  = help: ")
            raise RequestError(400, f"{message}; {help}" if help else message) from None
        generated = await _generated(request, served, samples, wanted, chosen, budget)
        if accepts_png(request):
            if not is_image(generated.shape[1:]):
                raise RequestError(406, f"`{served.name}` generates {list(generated.shape[1:])}, not images; accept JSON")
            columns = None if wanted.conditions else samples.columns
            budget.memory.reserve(generated.size)
            content: Any = await state.work.run(
                generated.nbytes, lambda: sheet(generated, samples.low, samples.high, columns=columns)
            )
            return TrackedResponse(content, {"Content-Type": "image/png"}, budget, state.settings.write_seconds)
        budget.require_values(generated.size)
        budget.memory.reserve(BYTES_A_VALUE * generated.size)
        found = {"model": served.name, "version": served.version, "seed": wanted.seed}
        shown = {name: [samples.shown(name, value) for value in values] for name, values in chosen.items()}
        found |= {"conditions": shown} if shown else {}
        content = await state.work.run(generated.nbytes, _serialize, {**found, "samples": np.ascontiguousarray(generated)})
        return TrackedResponse(content, {"Content-Type": "application/json"}, budget, state.settings.write_seconds)


def accepts_png(request: Request) -> bool:
    """Whether a client prefers a PNG to JSON."""
    return request.headers.get("accept", "").partition(",")[0].partition(";")[0].strip() == "image/png"


def samples_of(predictor: Predictor) -> Samples | None:
    """How a model is sampled; None if it generates no samples.

    Raises:
        NnspecError: If the metadata of the file are damaged.
    """
    if SAMPLES not in predictor.metadata:
        return None
    return Samples.from_json(orjson.loads(predictor.metadata[SAMPLES]), f"the metadata of `{predictor.path}`")


async def _generated(
    request: Request, served: Served, samples: Samples, wanted: _Wanted, chosen: Mapping[str, NDArray[Any]], budget: Budget
) -> NDArray[Any]:
    """The samples; random values are drawn in parts."""
    size = max(samples.bytes_of_one, 1)
    at_once = max(1, min(wanted.number, _NOISE_AT_ONCE // size))
    budget.memory.reserve(at_once * size)
    parts = []
    for i, values in enumerate(samples.batches(wanted.number, wanted.seed, at_once)):
        budget.require_time()
        rows = slice(i * at_once, (i + 1) * at_once)
        inputs = {**values, **{name: array[rows] for name, array in chosen.items()}}
        parts.append((await compute_outputs(request, served, inputs, budget))[samples.output])
    return np.concatenate(parts)


def _serialize(found: Mapping[str, Any]) -> bytes:
    return orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY)


def _read(body: Content) -> _Wanted:
    """Read a body: ``{"number": 4, "seed": 3, "conditions": {"label": "7"}}``; all keys are optional."""
    try:
        given = orjson.loads(bytes(body)) if body else {}
    except orjson.JSONDecodeError as error:
        raise RequestError(400, f"the body is not JSON: {error}") from None
    if not isinstance(given, dict) or (unknown := [key for key in given if key not in _KEYS]):
        what = f"has the unknown key `{unknown[0]:.40}`" if isinstance(given, dict) else "is not an object"
        raise RequestError(400, f"the body {what}; expected keys among `number`, `seed`, `conditions`")
    found = {**_KEYS, **given}
    for key, least, below in (("number", 1, 2**31), ("seed", 0, 2**32)):
        value = found[key]
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value < below:
            raise RequestError(400, f"`{key}` must be an integer from {least} to {below - 1}")
    conditions = found["conditions"]
    if not isinstance(conditions, dict) or any(isinstance(value, (dict, type(None))) for value in conditions.values()):
        raise RequestError(400, '`conditions` must be an object of values by name, such as {"label": "7"}')
    texts = {name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in conditions.items()}
    return _Wanted(found["number"], found["seed"], texts)
