"""Places in text files."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Span"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a file. Lines and columns count from 1; the end column is the first one behind the stretch."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    @classmethod
    def whole(cls, file: str) -> Span:
        """A file as a whole, where no place in it can be named."""
        return cls(file, 1, 1, 1, 1)

    def within(self, start: int, end: int) -> Span:
        """Characters ``start`` to ``end`` of a stretch that lies on one line."""
        return Span(self.file, self.line, self.column + start, self.line, self.column + end)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"
