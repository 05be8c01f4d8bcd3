"""Locations in text files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A range in a file. Lines and columns start at 1; the end column is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    @classmethod
    def whole(cls, file: str) -> Span:
        """Return a span for the whole file, if no specific location is known."""
        return cls(file, 1, 1, 1, 1)

    def within(self, start: int, end: int) -> Span:
        """Return characters ``start`` to ``end`` of a span on a single line."""
        return Span(self.file, self.line, self.column + start, self.line, self.column + end)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"
