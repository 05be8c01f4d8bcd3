"""Diagnostics as text: the source line, a caret below the token, notes and help."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache

from nnspec.diagnostics.diagnostic import Diagnostic
from nnspec.diagnostics.sources import source_text
from nnspec.diagnostics.span import Span
from nnspec.printable import on_one_line, printable, terminal_text

_WIDEST = 160
FIXABLE = "[*]"
"""Mark of a diagnostic that can be fixed automatically."""

_Style = Callable[[str, str], str]


def _unstyled(text: str, style: str) -> str:
    del style
    return text


@cache
def _lines(file: str) -> Sequence[str]:
    return lines_of(file)


def lines_of(file: str) -> Sequence[str]:
    """Return the lines of a file; none if it cannot be read."""
    return (source_text(file) or "").splitlines()


def render(diagnostic: Diagnostic, *, style: _Style = _unstyled, lines: Callable[[str], Sequence[str]] = _lines) -> str:
    """Format a diagnostic for a terminal. One with a fix is marked with ``[*]``.

    Args:
        diagnostic: Diagnostic to format.
        style: Applies one of the styles ``error``, ``warning``, ``note``, ``frame``, ``strong`` to a text.
        lines: Returns the lines of a file by name; by default, they are read from disk.
    """
    head = style(f"{diagnostic.severity}[{diagnostic.code}]", diagnostic.severity)
    if diagnostic.fix is not None:
        head += f" {style(FIXABLE, 'note')}"
    shown = [f"{head}: {style(terminal_text(diagnostic.message), 'strong')}"]
    notes = [note for note in diagnostic.notes if note.span is not None]
    width = max(len(str(span.end_line)) for span in [diagnostic.span, *(note.span for note in notes if note.span)])
    shown += _excerpt(diagnostic.span, diagnostic.severity, width, style, lines)
    bar = style(" " * width + " =", "frame")
    if diagnostic.help:
        shown.append(f"{bar} {style('help', 'note')}: {terminal_text(diagnostic.help)}")
    for note in diagnostic.notes:
        if note.span is None:
            shown.append(f"{bar} {style('note', 'note')}: {terminal_text(note.message)}")
        else:
            shown.append(f"{style('note', 'note')}: {terminal_text(note.message)}")
            shown += _excerpt(note.span, "note", width, style, lines)
    return "\n".join(shown)


def _excerpt(span: Span, kind: str, width: int, style: _Style, lines: Callable[[str], Sequence[str]]) -> list[str]:
    arrow = f"{style(' ' * width + '-->', 'frame')} {on_one_line(span)}"
    text = () if span.place else lines(span.file)
    if not 0 < span.line <= len(text):
        return [arrow]
    line = text[span.line - 1]
    start = min(span.column - 1, len(line))
    end = span.end_column - 1 if span.end_line == span.line else len(line.rstrip())
    end = max(min(end, len(line)), start + 1)
    if len(line) > _WIDEST:  # show an excerpt around the span
        left = max(0, start - _WIDEST // 3)
        line, start, end = "…" + line[left : left + _WIDEST] + "…", start - left + 1, min(end - left, _WIDEST) + 1
    # Tabs and wide characters shift the caret by their width on the screen.
    before = "".join("\t" if c == "\t" else " " * _columns(c) for c in line[:start])
    caret = "^" * max(1, sum(_columns(c) for c in line[start:end]) or end - start)
    line = terminal_text(line)
    gutter = style(" " * width + " |", "frame")
    number = style(f"{span.line:>{width}} |", "frame")
    return [arrow, gutter, f"{number} {line}", f"{gutter} {before}{style(caret, kind)}"]


def _columns(character: str) -> int:
    if (shown := printable(character)) != character:
        return len(shown)
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def summary(diagnostics: Iterable[Diagnostic], files: int, *, strict: bool = False) -> str:
    """Return the numbers of errors and warnings in one line.

    Args:
        diagnostics: Diagnostics of all specs.
        files: Number of specs checked.
        strict: Whether warnings fail, too.

    Example:
        >>> summary([], 2)
        '2 specs OK'
    """
    found = list(diagnostics)
    errors = sum(diagnostic.is_error for diagnostic in found)
    warnings = sum(diagnostic.severity == "warning" for diagnostic in found)
    many = counted(files, "spec")
    if not errors and not (strict and warnings):
        return f"{many} OK" + (f", with {counted(warnings, 'warning')}" if warnings else "")
    bad = len({diagnostic.span.file for diagnostic in found if diagnostic.fails(strict)})
    counts = [counted(errors, "error")] if errors else []
    counts += [counted(warnings, "warning")] if warnings else []
    return f"{' and '.join(counts)} in {bad} of {counted(files, 'spec')}"


def counted(count: int, noun: str) -> str:
    """Format a number with a noun.

    Example:
        >>> counted(2, "error")
        '2 errors'
    """
    return f"{count} {noun}" + ("" if count == 1 else "s")
