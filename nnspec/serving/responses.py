"""Responses: JSON, errors among them, as the protocol wants them on every path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from nnspec.serving.refusals import Refused

__all__ = ["error", "json_response", "refusal"]


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as JSON."""
    return Response(orjson.dumps(value), status, dict(headers or {}), "application/json")


def error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """What is wrong, as ``{"error": …}``."""
    return json_response({"error": message}, status, headers)


def refusal(refused: Refused) -> Response:
    """The same of a request that was refused."""
    return error(refused.status, refused.message, refused.headers)
