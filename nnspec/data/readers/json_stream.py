"""The members of a large JSON object, read piece by piece: a list is never in memory as a whole."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any, NoReturn, TextIO

from nnspec.data.kinds import DataError

_PIECE = 2**20
_MOST = 2**26
"""The maximum number of characters of one item."""

_OF_NUMBERS = ("", *"0123456789+-.eE")
"""What can follow the beginning of a number; nothing is the end of the text."""

_SPACE = re.compile(r"[ \t\r\n]*")


def _zero(list_: re.Match[str]) -> str:
    return f'"{list_[1]}":' + "\n" * list_[0].count("\n") + "0"


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"`{constant}` is not valid JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


class JsonStream:
    """Reads the members of the object in a file, in their order.

    Memory is bounded by the largest item of a list, and time is linear in the size of the file.

    Args:
        file: The file.
        name: Its name in messages.
        argument: The reader's argument that names it.
        skipped: The keys, at any depth, whose lists of numbers are 0 instead, since decoding them would take most of the time.
        no_object: The remedy if the file is a list.

    Example:
        >>> import io
        >>> stream = JsonStream(io.StringIO('{"info": {}, "images": [{"id": 1}, {"id": 2}]}'), "a.json", "annotations")
        >>> [(key, place, value) for key, place, value in stream.members()]
        [('info', None, {}), ('images', 0, {'id': 1}), ('images', 1, {'id': 2})]
    """

    def __init__(self, file: TextIO, name: str, argument: str, skipped: Collection[str] = (), no_object: str = "") -> None:
        self._file, self._name, self._argument, self._no_object = file, name, argument, no_object
        # A quote within a string is escaped, so this is always a key.
        keys = "|".join(map(re.escape, skipped))
        self._skipped = re.compile(rf'"({keys})"\s*:\s*\[[\s\[\]0-9eE+.,-]*\](?=\s*[,}}])') if skipped else None
        self._text, self._at, self._counted = "", 0, 0
        self._ended = False
        self._line, self._begin = 1, 0

    @property
    def line(self) -> int:
        """The line at which the last value begins."""
        self._count(self._begin)
        return self._line

    def members(self) -> Iterator[tuple[str, int | None, Any]]:
        """Yield each value with its key; the items of a list one by one, with their numbers.

        Raises:
            DataError: If the file is not valid JSON, or is not an object.
        """
        if (first := self._next()) != "{":
            raise self._error("the file must be one JSON object, {…}", help=self._no_object if first == "[" else "")
        self._at += 1
        seen: set[str] = set()
        while self._next() != "}":
            if seen:
                self._take(",")
            key = self._value() if self._next() == '"' else None
            if not isinstance(key, str):
                raise self._error("a key in double quotes is missing")
            if key in seen:
                raise self._error(f"duplicate key `{key[:80]}`")
            seen.add(key)
            self._take(":")
            if self._next() != "[":
                yield key, None, self._value()
                continue
            yield from self._items(key)
        self._at += 1
        if self._next():
            raise self._error("unexpected text after the object")

    def _items(self, key: str) -> Iterator[tuple[str, int, Any]]:
        self._at += 1
        number = 0
        while (following := self._next()) != "]":
            if number:
                if following != ",":
                    raise self._error("`,` is missing")
                self._at += 1
                self._next()
            yield key, number, self._value()
            number += 1
        self._at += 1

    def _take(self, character: str) -> None:
        if self._next() != character:
            raise self._error(f"`{character}` is missing")
        self._at += 1

    def _next(self) -> str:
        """Return the next character that is no space, without taking it; empty at the end."""
        while True:
            self._at = self._space_end(self._at)
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def _value(self) -> Any:
        self._begin = self._at
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._more():
                    continue
                ended = error.pos >= len(self._text) or error.msg.startswith("Unterminated")
                reason = "the file ends within a value: it is truncated" if ended else error.msg
                raise self._error(reason, at=error.pos) from None
            except RecursionError:
                raise self._error("values are nested too deep") from None
            except ValueError as error:
                raise self._error(str(error), help="write a number, or leave the value out") from None
            # A number at the end of the text may go on: `0.` is read as 0.
            if self._text[end : end + 1] not in _OF_NUMBERS or not self._more():
                self._at = end
                return value

    def _more(self) -> bool:
        """Read more of the file; as much again as is left, so that a long item is decoded a few times only."""
        if self._ended:
            return False
        left = len(self._text) - self._at
        if left > _MOST:
            raise self._error(f"an item has more than {_MOST:,} characters")
        read = self._file.read(max(_PIECE, left))
        if not read:
            self._ended = True
            return False
        self._count()
        self._text, self._at, self._counted = self._text[self._at :] + read, 0, 0
        self._begin = 0
        if self._skipped is not None:
            self._text = self._skipped.sub(_zero, self._text)
        return True

    def _count(self, end: int | None = None) -> None:
        end = self._at if end is None else end
        self._line += self._text.count("\n", self._counted, end)
        self._counted = max(self._counted, end)

    def _error(self, reason: str, *, help: str = "", at: int | None = None) -> DataError:
        """Return the error of the text at a position, which is often a comment or a comma too many."""
        self._count()
        at = self._space_end(self._at if at is None else at)
        if "truncated" in reason:
            help = "the file is damaged or truncated: write it again"
        elif self._text.startswith(("//", "/*", "#"), at):
            reason, help = "there is a comment", "remove it: JSON has no comments"
        elif (comma := self._extra_comma(at)) is not None:
            at, reason, help = comma, "there is a comma after the last item", "remove the comma"
        line = self._line + self._text.count("\n", self._counted, at) - self._text.count("\n", at, self._counted)
        return DataError(f"{self._name}, line {line:,}: {reason}", help=help, argument=self._argument)

    def _extra_comma(self, at: int) -> int | None:
        """Return the position of a comma before a closing bracket; the error is at either of them."""
        if self._text[at : at + 1] == ",":
            return at if self._text[(end := self._space_end(at + 1)) : end + 1] in ("]", "}") else None
        before = self._text[:at].rstrip(" \t\r\n") if self._text[at : at + 1] in ("]", "}") else ""
        return len(before) - 1 if before.endswith(",") else None

    def _space_end(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        assert found is not None
        return found.end()
