"""Fixes of diagnostics: text edits for the problems that have exactly one certain remedy.

What reports a problem knows the remedy in terms of the document: this word is misspelled, this entry has to go. That is a
[`Remedy`][]. With the text of the file, it becomes a [`Fix`][], exact ranges and their new text, or nothing if the text is
not what the remedy expects (a value computed by an expression, an escaped string).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nnspec.diagnostics.sources import SourceText, source_text
from nnspec.diagnostics.span import Span

if TYPE_CHECKING:
    from nnspec.diagnostics.diagnostic import Diagnostic
    from nnspec.diagnostics.remedies import Remedy


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

    diagnostics = list(diagnostics)
    places: dict[Remedy, set[Span]] = {}
    for diagnostic in diagnostics:
        if diagnostic.remedy is not None:
            places.setdefault(diagnostic.remedy, set()).add(diagnostic.span)

    def fixed(diagnostic: Diagnostic) -> Diagnostic:
        remedy = diagnostic.remedy
        if remedy is None or (remedy.is_defined and len(places[remedy]) > 1):
            return diagnostic
        span = remedy.span or diagnostic.span
        text = source(span.file)
        return diagnostic if text is None else replace(diagnostic, fix=remedy.fix(span, text))

    return [fixed(diagnostic) for diagnostic in diagnostics]
