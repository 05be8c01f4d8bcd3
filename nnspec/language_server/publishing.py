"""Diagnostics of the compiler as those of the protocol, by file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from lsprotocol import types
from pygls.uris import from_fs_path

from nnspec.diagnostics import Diagnostic, Span
from nnspec.language_server.positions import Text

_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "note": types.DiagnosticSeverity.Information,
}

TextOf = Callable[[Path], Text]


def by_file(diagnostics: Iterable[Diagnostic], text_of: TextOf) -> dict[Path, list[types.Diagnostic]]:
    """Convert diagnostics; those of files that a document uses are in these files.

    Args:
        diagnostics: Diagnostics of the compiler.
        text_of: Returns the text of a file.
    """
    found: dict[Path, list[types.Diagnostic]] = {}
    for diagnostic in diagnostics:
        file = Path(diagnostic.span.file).resolve()
        found.setdefault(file, []).append(_converted(diagnostic, text_of(file), text_of))
    return found


def _converted(diagnostic: Diagnostic, text: Text, text_of: TextOf) -> types.Diagnostic:
    related = [
        types.DiagnosticRelatedInformation(location(note.span, text_of), note.message)
        for note in diagnostic.notes
        if note.span is not None
    ]
    help = f"\nhelp: {diagnostic.help}" if diagnostic.help else ""
    more = "".join(f"\nnote: {note.message}" for note in diagnostic.notes if note.span is None)
    return types.Diagnostic(
        _visible(diagnostic.span, text),
        f"{diagnostic.message}{help}{more}",
        severity=_SEVERITIES[diagnostic.severity],
        code=diagnostic.code,
        source="nnspec",
        related_information=related or None,
    )


def _visible(span: Span, text: Text) -> types.Range:
    """Return the range of a span; the rest of its line if it is empty."""
    start, end = text.offsets(span)
    if start == end:
        line = text.position(start).line
        end = text.starts[line] + len(text.line(line))
    return text.between(start, end)


def location(span: Span, text_of: TextOf) -> types.Location:
    """Convert a span to a location."""
    file = Path(span.file).resolve()
    return types.Location(uri_of(file), text_of(file).range(span))


def uri_of(file: Path) -> str:
    return from_fs_path(str(file)) or file.as_uri()
