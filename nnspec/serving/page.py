"""The demo page at ``/``."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

__all__ = ["routes"]


def routes() -> list[BaseRoute]:
    """The page's route."""
    return [Route("/", page, name="page")]


async def page(request: Request) -> Response:
    """Return the page. It contains no data that requires a token; its script requests the models."""
    del request
    content, policy = _page()
    return Response(
        content,
        headers={
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "Cache-Control": "no-cache",
        },
    )


@cache
def _page() -> tuple[str, str]:
    """The page and a content security policy that allows only its own script and style."""
    content = files("nnspec.serving").joinpath("page.html").read_text("utf-8")
    script, style = (re.search(f"<{tag}>(.*?)</{tag}>", content, re.DOTALL) for tag in ("script", "style"))
    assert script is not None
    assert style is not None
    policy = (
        f"default-src 'none'; script-src {_hash(script[1])}; style-src {_hash(style[1])}; img-src blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return content, policy


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
