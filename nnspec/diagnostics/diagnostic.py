"""Diagnostics: one class per problem, with its code, message, explanation and example."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from nnspec.diagnostics.fixes import Fix
from nnspec.diagnostics.remedies import Remedy, remedy_of
from nnspec.diagnostics.span import Span

Severity = Literal["error", "warning", "note"]

_problems: dict[str, type[Problem]] = {}

MISSPELLED = "a misspelled name that can only mean one other"
"""The `fixable` of problems with names."""


class NnspecError(Exception):
    """An error with a message for the user. Commands print it and exit with 1."""


@dataclass(frozen=True, slots=True)
class Note:
    """A second location that explains the diagnostic."""

    message: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A problem at one location of a file.

    Attributes:
        code: Stable code of the problem, ``NN201``.
        severity: ``error``, ``warning`` or ``note``.
        message: Description of the problem.
        span: Location of the problem.
        path: Path of the location in the document, ``layers[3].Conv2D.filters``.
        help: How to fix it, or empty.
        notes: Other locations that explain it.
        fix: The only certain remedy as text edits; None if there are several, or none that is certain.
        remedy: What the fix is made from when the text of the file is known; see [`with_fixes`][nnspec.diagnostics.fixes].
    """

    code: str
    severity: Severity
    message: str
    span: Span
    path: str = ""
    help: str = ""
    notes: tuple[Note, ...] = ()
    fix: Fix | None = None
    remedy: Remedy | None = field(default=None, repr=False, compare=False)

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    def fails(self, strict: bool) -> bool:
        """Whether it makes its spec fail: always for an error, only if ``strict`` for a warning, never for a note."""
        return self.is_error or (strict and self.severity == "warning")

    def as_json(self) -> dict[str, object]:
        """Return the JSON form for ``--format json`` (design: section 5)."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "help": self.help,
            "file": self.span.file,
            "line": self.span.line,
            "column": self.span.column,
            "end_line": self.span.end_line,
            "end_column": self.span.end_column,
            "path": self.path,
            "notes": [
                {"message": note.message}
                | ({"file": note.span.file, "line": note.span.line, "column": note.span.column} if note.span else {})
                for note in self.notes
            ],
            "fix": self.fix.as_json() if self.fix else None,
        }


class Problem:
    """A kind of diagnostic. The docstring of a subclass is its explanation; ``fails`` and ``passes`` are its examples.

    Attributes:
        code: Stable code.
        severity: ``error`` if the model cannot be built, ``warning`` if it probably is not intended, ``note`` for information
            about a valid model.
        message: Message with placeholders in braces.
        advice: Default help, used if the location gives no better one.
        fixable: What ``nnspec validate --fix`` can fix: the problem, or cases of it; empty if nothing.
        fails: A document with the problem.
        passes: The same document, fixed.
    """

    code: ClassVar[str]
    severity: ClassVar[Severity] = "error"
    message: ClassVar[str]
    advice: ClassVar[str] = ""
    fixable: ClassVar[str] = ""
    fails: ClassVar[str] = ""
    passes: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        if cls.code in _problems:
            raise TypeError(f"{cls.__name__} has the same code as {_problems[cls.code].__name__}")
        _problems[cls.code] = cls

    @classmethod
    def at(cls, span: Span, path: str = "", *, help: str = "", notes: Iterable[Note] = (), **facts: object) -> Diagnostic:
        """Create a diagnostic of this problem at one location.

        Args:
            span: Location.
            path: Path of the location in the document.
            help: How to fix it; an [`Advice`][nnspec.diagnostics.fixes.Advice] if there is only one way.
            notes: Other locations that explain it.
            facts: Values of the placeholders of the message.
        """
        shown = {name: _shortened(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
        message, text = cls.message.format(**shown), str(_shortened(help or cls.advice))
        return Diagnostic(cls.code, cls.severity, message, span, path, text, tuple(notes), remedy=remedy_of(help))

    @classmethod
    def explanation(cls) -> str:
        """Return the docstring as text for users."""
        return inspect.cleandoc(cls.__doc__ or "").replace("``", "`")


_LONGEST = 2_000


def _shortened(text: str) -> str:
    """Shorten a very long text, such as a name of 60,000 letters in an untrusted file."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 100]} … {text[-80:]}"


def once(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return the diagnostics without duplicates of the same code and location, which repeated blocks cause."""
    first: dict[tuple[str, Span], Diagnostic] = {}
    for diagnostic in diagnostics:
        first.setdefault((diagnostic.code, diagnostic.span), diagnostic)
    return list(first.values())


def problems() -> Mapping[str, type[Problem]]:
    """Return every problem of the modules imported so far, by code."""
    return dict(sorted(_problems.items()))


class SpecError(NnspecError):
    """A document has errors; contains all of them in file order.

    Attributes:
        diagnostics: Errors, and warnings if any.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(f"{d.span}: {d.severity}[{d.code}]: {d.message}" for d in self.diagnostics))
