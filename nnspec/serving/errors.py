"""Errors of requests: an HTTP status and a message, sent as ``{"error": …}``."""

from __future__ import annotations

from collections.abc import Mapping


class RequestError(Exception):
    """Raised when a request is rejected.

    Attributes:
        status: The HTTP status.
        message: The error message: what was wrong, and what the client must send.
        headers: Additional response headers.
        advice: What the operator of the server or the author of the spec can do, for the log; empty if nothing.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None, *, advice: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})
        self.advice = advice


def body_too_large(limit: int, what: str = "the body") -> RequestError:
    """The error of a body above the size limit."""
    return RequestError(413, f"{what} is larger than {limit:,} bytes, this server's limit (--max-bytes); send less per request")


def overloaded(what: str) -> RequestError:
    """The error of a request beyond the current capacity."""
    return RequestError(503, f"{what}; try again later", {"Retry-After": "1"})


def deadline_exceeded(seconds: float) -> RequestError:
    """The error of an expired deadline."""
    return RequestError(504, f"the request was not completed within its deadline of {seconds:g} s")


def client_disconnected() -> RequestError:
    """The error of a disconnected client, which appears only in the log (the status is that of nginx)."""
    return RequestError(499, "the client closed the connection before the response")
