"""Positions in a text: offsets, those of the Language Server Protocol, and the lines and columns of diagnostics."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from lsprotocol.types import Position, PositionEncodingKind, Range

from nnspec.diagnostics import Span

_PROTOCOL_BREAK = re.compile(r"\r\n|\n|\r")
_YAML_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""The line breaks that the parser counts: those of YAML 1.1."""

_UNITS = {PositionEncodingKind.Utf8: ("utf-8", 1), PositionEncodingKind.Utf16: ("utf-16-le", 2)}


class Text:
    """A text whose positions can be converted.

    Args:
        text: The text.
        encoding: What the characters of a position count; by default, UTF-16 code units.

    Example:
        >>> text = Text("a: 𝛼β")
        >>> text.position(5), text.offset(Position(0, 5))
        (0:6, 4)
    """

    def __init__(self, text: str, encoding: str | None = None) -> None:
        self.text = text
        self._encoding = _UNITS.get(PositionEncodingKind(encoding or PositionEncodingKind.Utf16))

    @cached_property
    def starts(self) -> list[int]:
        """Offset of the first character of each line."""
        return [0, *(found.end() for found in _PROTOCOL_BREAK.finditer(self.text))]

    @cached_property
    def _yaml_starts(self) -> list[int]:
        if not any(mark in self.text for mark in "\x85\u2028\u2029"):
            return self.starts
        return [0, *(found.end() for found in _YAML_BREAK.finditer(self.text))]

    def line(self, number: int) -> str:
        """Return a line, counted from 0, without its line break; empty after the end."""
        if number >= len(self.starts):
            return ""
        end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.text)
        return self.text[self.starts[number] : end].rstrip("\r\n")

    def offset(self, position: Position) -> int:
        """Return the offset of a position; one behind the end of its line is moved to it."""
        if position.line >= len(self.starts):
            return len(self.text)
        line = self.line(position.line)
        return self.starts[position.line] + self._characters(line, position.character)

    def position(self, offset: int) -> Position:
        """Return the position of an offset."""
        number = bisect_right(self.starts, offset) - 1
        return Position(number, self._units(self.text[self.starts[number] : offset]))

    def line_column(self, position: Position) -> tuple[int, int]:
        """Return the line and column that count from 1, as in diagnostics, of a position."""
        offset, starts = self.offset(position), self._yaml_starts
        number = bisect_right(starts, offset)
        return number, offset - starts[number - 1] + 1

    def offset_at(self, line: int, column: int) -> int:
        """Return the offset of a line and column that count from 1, as in diagnostics."""
        starts = self._yaml_starts
        if line > len(starts):
            return len(self.text)
        return min(starts[max(line, 1) - 1] + max(column, 1) - 1, len(self.text))

    def offsets(self, span: Span) -> tuple[int, int]:
        """Return the offsets of the start and the end of a span."""
        return self.offset_at(span.line, span.column), self.offset_at(span.end_line, span.end_column)

    def range(self, span: Span) -> Range:
        """Return the range of a span."""
        start, end = self.offsets(span)
        return self.between(start, end)

    def between(self, start: int, end: int) -> Range:
        """Return the range between two offsets."""
        return Range(self.position(start), self.position(max(start, end)))

    def _units(self, part: str) -> int:
        if self._encoding is None or part.isascii():
            return len(part)
        codec, size = self._encoding
        return len(part.encode(codec, "surrogatepass")) // size

    def _characters(self, line: str, units: int) -> int:
        """Return the number of characters that a number of units covers."""
        if self._encoding is None or line.isascii():
            return min(units, len(line))
        count = 0
        for number, character in enumerate(line):
            if count >= units:
                return number
            count += self._units(character)
        return len(line)
