"""Locations in text files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A range in a file. Lines and columns start at 1; the end column is exclusive.

    Attributes:
        file: The file, as the user named it.
        line: The first line.
        column: The first column.
        end_line: The last line.
        end_column: The column after the last one.
        place: What is shown instead of line and column, if the document is no file: the path of a key.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int
    place: str = ""

    @classmethod
    def whole(cls, file: str) -> Span:
        """Return a span for the whole file, if no specific location is known."""
        return cls(file, 1, 1, 1, 1)

    def within(self, start: int, end: int) -> Span:
        """Return characters ``start`` to ``end`` of a span on a single line; all of it if it is not in a file."""
        if self.place:
            return self
        return Span(self.file, self.line, self.column + start, self.line, self.column + end)

    def __str__(self) -> str:
        return f"{self.file}: {self.place}" if self.place else f"{self.file}:{self.line}:{self.column}"
