"""Detection of duplicate keys in JSON objects, which parsers resolve silently and differently."""

from __future__ import annotations

import json
import re
from typing import Any

from nnspec.serving.errors import RequestError

_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_SPACED = re.compile(rb'"[ \t\r\n]++:')
_LONGEST = 100

Bytes = bytes | bytearray | memoryview


def require_unique_keys(body: Bytes, found: Any) -> None:
    """Reject a document in which an object has a duplicate key.

    The parser keeps one of two equal keys. A document with as many keys in its text as in the parsed value therefore has no
    duplicates, and almost every document is accepted by counting: all colons, which may also be in strings; then quotes before
    a colon; then colons outside of strings.

    Args:
        body: The document.
        found: The parsed document.

    Raises:
        RequestError: With 400. The message contains the key.
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
        raise RequestError(400, "the request is nested too deeply") from None


def _keys(value: Any) -> int:
    """The number of keys in a document. Lists whose first item is not an object are skipped."""
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
            raise RequestError(400, f"the request has the key {json.dumps(key[:_LONGEST])} twice in one object; send it once")
        seen.add(key)
