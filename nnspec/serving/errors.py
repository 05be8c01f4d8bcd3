"""Errors of requests: an HTTP status and a message, sent as ``{"error": …}``."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["RequestError", "client_disconnected", "overloaded", "body_too_large", "deadline_exceeded"]


class RequestError(Exception):
    """Raised when a request is rejected.

    Attributes:
        status: The HTTP status.
        message: The error message.
        headers: Additional response headers.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


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
