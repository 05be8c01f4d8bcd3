"""What a request is refused with: a status and a sentence, which every client gets as ``{"error": …}``."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["Refused", "left", "overloaded", "too_large", "too_late"]


class Refused(Exception):
    """A request that is not answered as it asked.

    Attributes:
        status: HTTP's.
        message: What is wrong, for whoever wrote the client.
        headers: What else the response says.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = dict(headers or {})


def too_large(most: int, what: str = "the body") -> Refused:
    """More bytes than the server takes."""
    return Refused(413, f"{what} is larger than {most:,} bytes, this server's limit (--max-bytes); send less at once")


def overloaded(what: str) -> Refused:
    """More work than the server has room for now."""
    return Refused(503, f"{what}; try again later", {"Retry-After": "1"})


def too_late(seconds: float) -> Refused:
    """A request whose time is over."""
    return Refused(504, f"no answer within {seconds:g} s, the deadline of this request")


def left() -> Refused:
    """A client that is gone: nobody reads this, but the log (nginx's status)."""
    return Refused(499, "the client closed the connection before its answer")
