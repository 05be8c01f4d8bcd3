"""The numbers of a tensor in a request's JSON: found without being parsed, counted, and then read a little at a time.

A body of 32 MB has 16 million numbers. Parsed at once, they take a second in which no other request is answered, and half a
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
from nnspec.serving.refusals import Refused

__all__ = ["Numbers", "without_numbers"]

_STEP = 64 * 1024
"""Bytes that are parsed at once: less than a millisecond."""

_SCAN = 2**20
"""Bytes that are searched or counted at once: about a millisecond."""

_LONGEST_HEAD = 64 * 1024
"""Bytes that a message may have beside its numbers."""

# All up to the first list under a key `data`. Strings are passed over whole, and nothing is looked at twice.
_TO_DATA = re.compile(rb'(?:[^"]|"(?!data"\s*+:\s*+\[)(?:[^"\\]|\\.)*+")*+"data"\s*+:\s*+(?=\[)', re.DOTALL)
_NUMBERS = re.compile(rb"[\[\]\s,0-9+\-.eEtruefalsn]*+")
_BEGINNING = re.compile(rb"[\[\s]*+")
_NO_STRUCTURE = bytes(set(range(256)) - set(b"[],"))

Bytes = bytes | bytearray


class Numbers:
    """The text of a list of numbers, flat or nested.

    Args:
        body: The body it is in.
        start: Where its first bracket is.
        end: Behind its last.
    """

    def __init__(self, body: Bytes, start: int, end: int) -> None:
        self._body = body
        self._start = start
        self._end = end
        beginning = _BEGINNING.match(body, start, min(end, start + _STEP))
        assert beginning is not None
        self._depth = beginning[0].count(b"[")

    def require_count(self, what: str, shape: Sequence[int], budget: Budget) -> None:
        """Refuses numbers that are not as many as a shape says, flat or nested by it. None is parsed.

        Raises:
            Refused: With 400.
        """
        size = math.prod(shape)
        commas, opened, closed = (self._count(sign) for sign in (b",", b"[", b"]"))
        is_empty = not commas and not self._body[self._start : min(self._end, self._start + _STEP)].strip(b" \t\r\n[]")
        count = 0 if is_empty else commas + 1
        if opened == closed == 1 or (is_empty and not size):
            if count != size:
                raise Refused(400, f"the {what} has the shape {list(shape)}, and its data have [{count}]")
        elif self._depth != len(shape):
            raise Refused(
                400,
                f"the {what} has the shape {list(shape)}, and its data are nested {self._depth} deep: no tensor of that shape; "
                "write them flat, or nested by the shape",
            )
        elif count != size or not self._is_nested_by(shape, commas + opened + closed, budget):
            raise Refused(
                400, f"the {what} has the shape {list(shape)}, and its data are no tensor of it: lists of different lengths"
            )

    def parts(self, budget: Budget) -> Iterator[list[Any]]:
        """The numbers, some at a time.

        Raises:
            ValueError: Where they are no JSON.
            Refused: Where the request's time is over.
        """
        start, open_ = self._start, 0
        while start < self._end:
            budget.require_time()
            end = self._end
            if end - start > _STEP:
                end = self._body.rfind(b",", start, start + _STEP)
                if end < 0:
                    raise ValueError("a number of that many characters")
            text = bytes(self._body[start:end])
            before, open_ = open_, open_ + text.count(b"[") - text.count(b"]")
            # What was cut is closed again. It was cut at a comma: one that is missing is an error here.
            values = orjson.loads(b"[" * before + text + b"]" * open_)
            for _ in range(self._depth - 1):
                values = list(chain.from_iterable(values))
            yield values
            start = end + 1

    def _count(self, sign: bytes) -> int:
        return sum(self._body.count(sign, *place) for place in self._places())

    def _is_nested_by(self, shape: Sequence[int], signs: int, budget: Budget) -> bool:
        """Whether the brackets and commas are those of a shape."""
        brackets = 2 * sum(math.prod(shape[:axis]) for axis in range(len(shape)))
        if signs != brackets + math.prod(shape) - 1:
            return False
        budget.room.take(signs)
        wanted = b""
        for size in reversed(shape):
            wanted = b"[" + (wanted + b",") * (size - 1) + wanted + b"]"
        place = 0
        for start, end in self._places():
            found = self._body[start:end].translate(None, _NO_STRUCTURE)
            if wanted[place : place + len(found)] != found:
                return False
            place += len(found)
        budget.room.give_back(signs)
        return place == len(wanted)

    def _places(self) -> Iterator[tuple[int, int]]:
        for start in range(self._start, self._end, _SCAN):
            yield start, min(self._end, start + _SCAN)


def without_numbers(body: Bytes, length: int) -> tuple[bytes, list[Numbers]]:
    """A message whose lists of numbers under a key ``data`` are replaced by lists of one number: their place among those found.

    Args:
        body: What begins with the message.
        length: The message's bytes.

    Raises:
        Refused: With 400, where there is too much beside the numbers.
    """
    kept: list[bytes] = []
    found: list[Numbers] = []
    place = beside = 0
    while True:
        match = _TO_DATA.match(body, place, min(length, place + _LONGEST_HEAD))
        end = match.end() if match else length
        beside += end - place
        if beside > _LONGEST_HEAD:
            raise Refused(
                400,
                f"the request is no JSON of an inference: more than {_LONGEST_HEAD:,} bytes beside the numbers under `data`",
            )
        kept.append(bytes(body[place:end]))
        if match is None:
            return b"".join(kept), found
        place = end
        end = body.rfind(b"]", place, _end_of_numbers(body, place, length)) + 1
        if end:
            kept.append(b"[%d]" % len(found))
            found.append(Numbers(body, place, end))
            place = end


def _end_of_numbers(body: Bytes, place: int, length: int) -> int:
    while place < length:
        match = _NUMBERS.match(body, place, min(length, place + _SCAN))
        assert match is not None
        if match.end() == place:
            break
        place = match.end()
    return place
