"""Refuses JSON objects that have a key twice: parsers keep one of the values, and which one is not what anybody asked for."""

from __future__ import annotations

import json
import re
from typing import Any

from nnspec.serving.refusals import Refused

__all__ = ["require_unique_keys"]

_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_SPACED = re.compile(rb'"[ \t\r\n]++:')
_LONGEST = 100

Bytes = bytes | bytearray | memoryview


def require_unique_keys(body: Bytes, found: Any) -> None:
    """Refuses a document in which an object has a key twice.

    A key that is there twice is found once. So a document in which as many are written as were found has none, and almost
    every document is accepted by counting: colons, which may stand in texts too; then quotes before a colon; then colons
    outside of texts.

    Args:
        body: The document.
        found: What it was parsed to.

    Raises:
        Refused: With 400, naming the key.
    """
    content = bytes(body) if isinstance(body, memoryview) else body
    flat = sum(map(len, found)) if isinstance(found, list) and all(isinstance(row, dict) for row in found) else None
    colons = content.count(b":")
    if colons == flat or colons == (keys := _keys(found)):
        return
    if content.count(b'":') == keys and _SPACED.search(content) is None:
        return
    if _STRINGS.sub(b"", content).count(b":") == keys:
        return
    try:
        json.loads(content, object_pairs_hook=_require)
    except RecursionError:
        raise Refused(400, "the request is nested too deep") from None


def _keys(value: Any) -> int:
    """The keys of a document's objects, but of those in a list only if the first in it is one."""
    keys, left = 0, [value] if isinstance(value, dict | list) else []
    while left:
        one = left.pop()
        if isinstance(one, dict):
            keys += len(one)
            left.extend(inner for inner in one.values() if type(inner) in (dict, list))
        elif one and isinstance(one[0], dict):
            left.extend(inner for inner in one if isinstance(inner, dict))
    return keys


def _require(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise Refused(400, f"the request has the key {json.dumps(key[:_LONGEST])} twice in one object; send it once")
        seen.add(key)
