"""Fixes of diagnostics: text edits for the problems that have exactly one certain remedy.

What reports a problem knows the remedy in terms of the document: this word is misspelled, this entry has to go. That is a
[`Remedy`][]. With the text of the file, it becomes a [`Fix`][], exact ranges and their new text, or nothing if the text is
not what the remedy expects (a value computed by an expression, an escaped string).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from nnspec.diagnostics.sources import source_text
from nnspec.diagnostics.span import Span

if TYPE_CHECKING:
    from nnspec.diagnostics.diagnostic import Diagnostic


@dataclass(frozen=True, slots=True)
class Edit:
    """A range of a file and the text that replaces it.

    Attributes:
        span: Range to replace; empty for an insertion. Lines and columns start at 1 and count code points, and the end is
            exclusive.
        text: New text; empty for a deletion.
    """

    span: Span
    text: str

    def as_json(self) -> dict[str, object]:
        """Return the JSON form for ``--format json``."""
        span = self.span
        return {
            "file": span.file,
            "line": span.line,
            "column": span.column,
            "end_line": span.end_line,
            "end_column": span.end_column,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True)
class Fix:
    """The only certain remedy of a problem.

    Attributes:
        title: What it does, in the imperative: ``Replace `fliters` with `filters```.
        edits: Edits that belong together and do not overlap. All are in one file, which may be another than the diagnostic's.
    """

    title: str
    edits: tuple[Edit, ...]

    def as_json(self) -> dict[str, object]:
        """Return the JSON form for ``--format json``."""
        return {"title": self.title, "edits": [edit.as_json() for edit in self.edits]}


_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""Line breaks as YAML 1.1's parser counts them."""


class SourceText:
    """The text of a file, with positions by line and column.

    Args:
        text: Whole text, without a byte order mark.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in _BREAK.finditer(self.text))]

    def offset(self, line: int, column: int) -> int | None:
        """Return the index of a position, or None if it is outside the text."""
        if not 0 < line <= len(self._starts):
            return None
        start = self._starts[line - 1]
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        return start + column - 1 if 0 <= column - 1 <= end - start else None

    def range(self, span: Span) -> tuple[int, int] | None:
        """Return the first and last index of a span, or None if it is outside the text."""
        start, end = self.offset(span.line, span.column), self.offset(span.end_line, span.end_column)
        return None if start is None or end is None or end < start else (start, end)

    def span(self, file: str, start: int, end: int) -> Span:
        """Return the span of some characters."""
        first, last = bisect_right(self._starts, start), bisect_right(self._starts, end)
        return Span(file, first, start - self._starts[first - 1] + 1, last, end - self._starts[last - 1] + 1)


@dataclass(frozen=True)
class Remedy:
    """How to mend a problem at its place, in terms of the document.

    Attributes:
        span: Where, if not at the place of the diagnostic.
    """

    span: Span | None = None

    def fix(self, span: Span, source: SourceText) -> Fix | None:
        """Return the fix for a file; None if its text is not as expected."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Respell(Remedy):
    """A word is replaced by another one; quotes around it stay.

    Attributes:
        old: Word as written, without quotes.
        new: Word to write.
    """

    old: str
    new: str

    def fix(self, span: Span, source: SourceText) -> Fix | None:
        found = source.range(span)
        if found is None or not self.old:
            return None
        start, end = found
        if source.text[start:end] in (f'"{self.old}"', f"'{self.old}'"):
            start, end = start + 1, end - 1
        if source.text[start:end] != self.old:
            return None
        edit = Edit(source.span(span.file, start, end), self.new)
        return Fix(f"Replace `{self.old}` with `{self.new}`", (edit,))


class Advice(str):
    """A help text with the remedy that it describes, if there is only one.

    Example:
        >>> advice = Advice("did you mean `filters`?", Respell(old="filter", new="filters"))
        >>> advice, advice.remedy.new
        ('did you mean `filters`?', 'filters')
    """

    __slots__ = ("remedy",)

    remedy: Remedy | None

    def __new__(cls, text: str, remedy: Remedy | None = None) -> Advice:
        advice = super().__new__(cls, text)
        advice.remedy = remedy
        return advice


def remedy_of(help: str) -> Remedy | None:
    """Return the remedy of a help text, if it has one."""
    return help.remedy if isinstance(help, Advice) else None


def with_fixes(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the diagnostics with the fixes of those that have a certain remedy.

    Args:
        diagnostics: Diagnostics of one document and the files it uses.
    """
    sources: dict[str, SourceText | None] = {}

    def source(file: str) -> SourceText | None:
        if file not in sources:
            text = source_text(file)
            sources[file] = None if text is None else SourceText(text)
        return sources[file]

    def fixed(diagnostic: Diagnostic) -> Diagnostic:
        if diagnostic.remedy is None:
            return diagnostic
        span = diagnostic.remedy.span or diagnostic.span
        text = source(span.file)
        return diagnostic if text is None else replace(diagnostic, fix=diagnostic.remedy.fix(span, text))

    return [fixed(diagnostic) for diagnostic in diagnostics]
