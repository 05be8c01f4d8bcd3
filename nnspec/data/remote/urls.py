"""URLs in specs: they are refused unless the user allows their beginning."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from urllib.parse import unquote, urlsplit

from nnspec.data.kinds import DataError
from nnspec.data.paths import URL
from nnspec.types import listed

ALLOWED = "NNSPEC_ALLOW_URL"
"""The environment variable with the beginnings of allowed URLs, separated by spaces."""

PACKAGES = {
    "s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "hf": "huggingface_hub", "abfs": "adlfs", "az": "adlfs",
    "https": "aiohttp", "http": "aiohttp", "memory": "fsspec",
}  # fmt: skip
"""The supported schemes, with the package that reads each."""

_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://[^\s'\"<>|)]+")
_UNCLEAR = re.compile(r"[\x00-\x20\x7f\\]|::")

_command_line: ContextVar[bool] = ContextVar("_command_line", default=False)


def is_url(text: str) -> bool:
    """Return whether a text is a URL."""
    return URL.match(text) is not None


@contextmanager
def given_by_user() -> Iterator[None]:
    """Allow all URLs of a supported scheme: those that the user wrote on the command line."""
    token = _command_line.set(True)
    try:
        yield
    finally:
        _command_line.reset(token)


def require_allowed(url: str) -> str:
    """Return a URL with its scheme in lowercase.

    Raises:
        DataError: If it is not allowed, or its scheme is not supported.
    """
    shown = masked(url)
    if _UNCLEAR.search(url):
        raise DataError(f"`{shown}` is a URL with `::`, a backslash, a space or a control character", help="escape it with `%`")
    scheme, _, rest = url.partition("://")
    url = f"{scheme.lower()}://{rest}"
    if scheme.lower() not in PACKAGES:
        help = f"use one of {listed(list(PACKAGES))}, or the path of a local file"
        raise DataError(f"`{shown}` is a URL with the unsupported scheme `{scheme}`", help=help)
    if ".." in unquote(rest).split("/"):
        raise DataError(f"`{shown}` is a URL with `..`", help="write the URL without it")
    if not _command_line.get() and not any(begins_with(url, prefix) for prefix in os.environ.get(ALLOWED, "").split()):
        parent = shown.partition("?")[0]
        parent = parent.rpartition("/")[0] + "/" if "/" in parent.partition("://")[2] else parent
        help = f"if you trust the spec, allow it with `--allow-url {parent}`, or in the variable {ALLOWED}"
        raise DataError(f"`{shown}` is a URL, and URLs in specs are not opened unless they are allowed", help=help)
    return url


def begins_with(url: str, prefix: str) -> bool:
    """Return whether a URL is a prefix or below it.

    Example:
        >>> begins_with("s3://data/train/a.csv", "s3://data/train"), begins_with("s3://data-of-others/a.csv", "s3://data")
        (True, False)
    """
    if not is_url(prefix):
        return False
    try:
        given, allowed = urlsplit(url), urlsplit(prefix)
        same_place = (given.hostname, given.port) == (allowed.hostname, allowed.port)
    except ValueError:
        return False
    if given.scheme != allowed.scheme:
        return False
    if not allowed.netloc:
        return not allowed.path.strip("/")
    return same_place and (given.path.rstrip("/") + "/").startswith(allowed.path.rstrip("/") + "/")


def masked(url: str) -> str:
    """Return a URL for messages and records, without passwords, and without the values of its query.

    Example:
        >>> masked("https://me:secret@example.org/a.csv?token=123&v=2")
        'https://***@example.org/a.csv?token=***&v=***'
    """
    scheme, mark, rest = url.partition("://")
    if not mark:
        return url
    rest, _, fragment = rest.partition("#")
    place, question, query = rest.partition("?")
    host, slash, path = place.partition("/")
    if "@" in host:
        host = "***@" + host.rpartition("@")[2]
    if question:
        query = "&".join(f"{part.partition('=')[0]}=***" if "=" in part else "***" for part in query.split("&"))
    return f"{scheme}://{host}{slash}{path}{question}{query}" + ("#***" if fragment else "")


def without_secrets(text: str) -> str:
    """Mask every URL in the text of an error."""
    return _IN_TEXT.sub(lambda found: masked(found[0]), text)
