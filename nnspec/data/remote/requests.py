"""Requests to object stores and servers through fsspec, with a time limit, repetition, and errors that name the URL."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from importlib.util import find_spec
from typing import Any, TypeVar

from nnspec.data.kinds import DataError
from nnspec.data.paths import MissingFileError, RemoteError
from nnspec.data.remote.urls import PACKAGES, masked, without_secrets

TIMEOUT = "NNSPEC_URL_TIMEOUT"
_DEFAULT_TIMEOUT = 30.0
_LEAST_RATE = 2**19
"""The bytes per second below which a connection is too slow."""

_ATTEMPTS = 5
_FIRST_WAIT = 0.2

Result = TypeVar("Result")


def seconds_allowed() -> float:
    """Return the time limit of a request, from the variable `NNSPEC_URL_TIMEOUT`."""
    try:
        return max(0.1, float(os.environ.get(TIMEOUT, "")))
    except ValueError:
        return _DEFAULT_TIMEOUT


def file_system(url: str) -> tuple[Any, str]:
    """Return the file system of a URL, and the path in it.

    Raises:
        DataError: If its package is not installed.
    """
    scheme = url.partition("://")[0]
    for module in ("fsspec", PACKAGES[scheme]):
        if find_spec(module) is None:
            extra = "nnspec[remote]" if module in ("fsspec", "s3fs", "aiohttp") else module
            message = f"reading `{scheme}://` requires {module}, which is not installed"
            raise RemoteError(message, help=f"pip install '{extra}'")
    try:
        system = _file_system(scheme, seconds_allowed())
        return system, system._strip_protocol(url)
    except (OSError, ValueError, ImportError) as error:
        raise failed(url, error) from None


@cache
def _file_system(scheme: str, seconds: float) -> Any:
    import fsspec

    options: dict[str, Any] = {}
    if scheme == "s3":
        # Repetition is done here, where the time limit is known.
        retries = {"max_attempts": 0}
        options = {"config_kwargs": {"connect_timeout": seconds, "read_timeout": seconds, "retries": retries}}
    system = fsspec.filesystem(scheme, use_listings_cache=False, skip_instance_cache=True, **options)
    if scheme == "s3":
        system.retries = 1
    return system


def request(url: str, call: Callable[[], Result], *, size: float = 0) -> Result:
    """Return the result of a request; failures that may be temporary are repeated.

    Args:
        url: The URL, for messages.
        call: Makes the request.
        size: The number of bytes of the answer, for which there is more time.

    Raises:
        MissingFileError: If there is no such object.
        DataError: If access is denied, there is no answer in time, or it fails repeatedly.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _within(seconds_allowed() + size / _LEAST_RATE, call)
        except DataError:
            raise
        except Exception as error:
            if attempt == _ATTEMPTS or not _may_be_temporary(error):
                raise failed(url, error) from None
            time.sleep(_FIRST_WAIT * 2 ** (attempt - 1))
    raise AssertionError


def _within(seconds: float, call: Callable[[], Result]) -> Result:
    """Call a function in a thread of its own, which is abandoned after some time."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True, name="request").start()
    return future.result(seconds)


def _status(error: BaseException | None) -> int | None:
    """Return the HTTP status of an error or of its causes."""
    while error is not None:
        status = getattr(error, "status", None)
        if isinstance(status, int):
            return status
        error = error.__cause__ or error.__context__
    return None


def _is_timeout(error: BaseException) -> bool:
    return isinstance(error, TimeoutError | asyncio.TimeoutError) or "Timeout" in type(error).__name__


def _is_missing(error: BaseException) -> bool:
    """Whether there is no such object. fsspec reports any failure of HTTP, also that of a connection, as a missing file."""
    if not isinstance(error, FileNotFoundError):
        return False
    status = _status(error)
    return status in (404, 410) or (status is None and _connection_error(error) is None)


def _connection_error(error: BaseException | None) -> BaseException | None:
    while error is not None and not type(error).__module__.startswith("aiohttp"):
        error = error.__cause__ or error.__context__
    return error


def _is_permanent(error: BaseException) -> bool:
    if isinstance(error, FileNotFoundError):
        return _is_missing(error)
    return isinstance(error, PermissionError | ImportError | NotADirectoryError | IsADirectoryError)


def _may_be_temporary(error: BaseException) -> bool:
    status = _status(error)
    if _is_timeout(error) or _is_permanent(error) or _is_expired(error) or _lacks_credentials(error):
        return False
    return not (status is not None and 400 <= status < 500 and status not in (408, 425, 429))


def _is_expired(error: BaseException) -> bool:
    return type(error).__name__ == "FileExpired" or _status(error) == 412


def _lacks_credentials(error: BaseException) -> bool:
    return type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError", "TokenRetrievalError", "RefreshError")


_CREDENTIALS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, or FSSPEC_S3_ANON=true for a public bucket",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS, or FSSPEC_GS_TOKEN=anon for a public bucket",
    "hf": "set HF_TOKEN",
}


def replaced(url: str) -> DataError:
    """Return the error for an object that was replaced while it was read."""
    return RemoteError(f"`{masked(url)}` was replaced while it was read", help="train again when the data are complete")


def failed(url: str, error: BaseException) -> DataError:
    """Return the error for a request that failed."""
    shown, status = masked(url), _status(error)
    credentials = _CREDENTIALS.get(url.partition("://")[0], "check the URL and its credentials")
    if _is_timeout(error) or _is_timeout(_connection_error(error) or error):
        reason = f"`{shown}` did not answer within {seconds_allowed():g} s"
        return RemoteError(reason, help=f"try again later, or wait longer with {TIMEOUT}=120")
    if _lacks_credentials(error):
        return RemoteError(f"there are no credentials for `{shown}`", help=credentials)
    if isinstance(error, PermissionError) or status in (401, 403):
        return RemoteError(f"access to `{shown}` is denied ({status or 403})", help=credentials)
    if _is_expired(error):
        return replaced(url)
    if _is_missing(error):
        return MissingFileError(f"there is no object `{shown}` ({status or 404})", help="check the URL")
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return RemoteError(f"`{shown}` cannot be read: {error.strerror}")
    text = without_secrets(str(_connection_error(error) or error)).strip().partition("\n")[0][:200] or type(error).__name__
    return RemoteError(f"`{shown}` cannot be read: {text}", help="try again later")
