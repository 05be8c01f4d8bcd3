"""The numbers of a tensor in a JSON request: located without parsing, counted, and parsed incrementally.

A body of 32 MB has up to 16 million numbers. Parsing them at once would block all other requests for a second and take half a
gigabyte.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import orjson

from nnspec.serving.budget import Budget
from nnspec.serving.errors import RequestError

_STEP = 64 * 1024
"""Bytes parsed per step, less than a millisecond."""

_SCAN = 2**20
"""Bytes searched or counted per step, about a millisecond."""

_MAX_HEAD = 64 * 1024
"""Maximum size of a request without its numbers."""

# Everything up to the first list under a key `data`. Possessive quantifiers skip strings without backtracking.
_TO_DATA = re.compile(rb'(?:[^"]|"(?!data"\s*+:\s*+\[)(?:[^"\\]|\\.)*+")*+"data"\s*+:\s*+(?=\[)', re.DOTALL)
_NUMBERS = re.compile(rb"[\[\]\s,0-9+\-.eEtruefalsn]*+")
_OPENING = re.compile(rb"[\[\s]*+")
_NO_STRUCTURE = bytes(set(range(256)) - set(b"[],"))

Bytes = bytes | bytearray


class Numbers:
    """The unparsed text of a list of numbers, flat or nested.

    Args:
        body: The body that contains it.
        start: The position of its first bracket.
        end: The position after its last bracket.
    """

    def __init__(self, body: Bytes, start: int, end: int) -> None:
        self._body = body
        self._start = start
        self._end = end
        opening = _OPENING.match(body, start, min(end, start + _STEP))
        assert opening is not None
        self._depth = opening[0].count(b"[")

    def require_count(self, what: str, shape: Sequence[int], budget: Budget) -> None:
        """Check that the numbers fit a shape, flat or nested, without parsing them.

        Raises:
            RequestError: With 400 if they do not.
        """
        size = math.prod(shape)
        commas, opened, closed = (self._count(sign) for sign in (b",", b"[", b"]"))
        is_empty = not commas and not self._body[self._start : min(self._end, self._start + _STEP)].strip(b" \t\r\n[]")
        count = 0 if is_empty else commas + 1
        if opened == closed == 1 or (is_empty and not size):
            if count != size:
                raise RequestError(400, f"the {what} has the shape {list(shape)}, but its data has the shape [{count}]")
        elif self._depth != len(shape):
            raise RequestError(
                400,
                f"the {what} has the shape {list(shape)}, but its data is nested {self._depth} levels deep; "
                "send it flat, or nested according to the shape",
            )
        elif count != size or not self._is_nested_by(shape, commas + opened + closed, budget):
            raise RequestError(
                400,
                f"the {what} has the shape {list(shape)}, but its data is not a tensor of it: lists of different lengths",
            )

    def chunks(self, budget: Budget) -> Iterator[list[Any]]:
        """Parse the numbers in chunks.

        Raises:
            ValueError: If they are not valid JSON.
            RequestError: If the deadline expires.
        """
        start, open_ = self._start, 0
        while start < self._end:
            budget.require_time()
            end = self._end
            if end - start > _STEP:
                end = self._body.rfind(b",", start, start + _STEP)
                if end < 0:
                    raise ValueError("a number is too long")
            text = bytes(self._body[start:end])
            before, open_ = open_, open_ + text.count(b"[") - text.count(b"]")
            # Complete the brackets of the chunk. It was cut at a comma, so a missing comma is an error here.
            values = orjson.loads(b"[" * before + text + b"]" * open_)
            for _ in range(self._depth - 1):
                values = list(chain.from_iterable(values))
            yield values
            start = end + 1

    def _count(self, sign: bytes) -> int:
        return sum(self._body.count(sign, *position) for position in self._ranges())

    def _is_nested_by(self, shape: Sequence[int], signs: int, budget: Budget) -> bool:
        """Whether the brackets and commas match a shape."""
        brackets = 2 * sum(math.prod(shape[:axis]) for axis in range(len(shape)))
        if signs != brackets + math.prod(shape) - 1:
            return False
        budget.memory.reserve(signs)
        expected = b""
        for size in reversed(shape):
            expected = b"[" + (expected + b",") * (size - 1) + expected + b"]"
        position = 0
        for start, end in self._ranges():
            found = self._body[start:end].translate(None, _NO_STRUCTURE)
            if expected[position : position + len(found)] != found:
                return False
            position += len(found)
        budget.memory.release(signs)
        return position == len(expected)

    def _ranges(self) -> Iterator[tuple[int, int]]:
        for start in range(self._start, self._end, _SCAN):
            yield start, min(self._end, start + _SCAN)


def extract_numbers(body: Bytes, length: int) -> tuple[bytes, list[Numbers]]:
    """Replace each list of numbers under a key ``data`` by a placeholder, a list with its index among the extracted lists.

    Args:
        body: A body that starts with the JSON.
        length: The length of the JSON in bytes.

    Raises:
        RequestError: With 400 if the JSON without the numbers is too large.
    """
    parts: list[bytes] = []
    found: list[Numbers] = []
    position = head_size = 0
    while True:
        match = _TO_DATA.match(body, position, min(length, position + _MAX_HEAD))
        end = match.end() if match else length
        head_size += end - position
        if head_size > _MAX_HEAD:
            raise RequestError(
                400,
                f"invalid inference request: more than {_MAX_HEAD:,} bytes of JSON besides the numbers under `data`",
            )
        parts.append(bytes(body[position:end]))
        if match is None:
            return b"".join(parts), found
        position = end
        end = body.rfind(b"]", position, _end_of_numbers(body, position, length)) + 1
        if end:
            parts.append(b"[%d]" % len(found))
            found.append(Numbers(body, position, end))
            position = end


def _end_of_numbers(body: Bytes, position: int, length: int) -> int:
    while position < length:
        match = _NUMBERS.match(body, position, min(length, position + _SCAN))
        assert match is not None
        if match.end() == position:
            break
        position = match.end()
    return position
