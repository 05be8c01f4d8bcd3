"""Diagnostics: one class a problem, with its code, its message, its explanation and an example."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from nnspec.diagnostics.span import Span

__all__ = ["Diagnostic", "NnspecError", "Note", "Problem", "Severity", "SpecError", "once", "problems"]

Severity = Literal["error", "warning", "note"]

_problems: dict[str, type[Problem]] = {}


class NnspecError(Exception):
    """An error whose text is meant for the user: what is wrong, and what to do. Commands print it and exit with 1."""


@dataclass(frozen=True, slots=True)
class Note:
    """A second place that explains the first."""

    message: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing said about one place.

    Attributes:
        code: The stable name of the problem, ``NN201``.
        severity: ``error``, ``warning`` or ``note``.
        message: What is wrong.
        span: Where.
        path: The same place as a path in the document, ``layers[3].Conv2D.filters``.
        help: What to write instead, or empty.
        notes: Other places that explain this one.
    """

    code: str
    severity: Severity
    message: str
    span: Span
    path: str = ""
    help: str = ""
    notes: tuple[Note, ...] = ()

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    def fails(self, strict: bool) -> bool:
        """Whether its spec fails for it: for an error always, for a warning where warnings fail too, for a note never."""
        return self.is_error or (strict and self.severity == "warning")

    def as_json(self) -> dict[str, object]:
        """The form of ``--format json`` (design: section 5)."""
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
        }


class Problem:
    """A kind of diagnostic. A subclass's docstring explains it to the user; ``fails`` and ``passes`` show it.

    Attributes:
        code: Its stable name.
        severity: ``error`` where the model cannot be built as written, ``warning`` where it probably is not what was meant,
            ``note`` where all is well and there is something to know.
        message: Its text, with the facts of the case in braces.
        advice: The help where no better one is known at the place.
        fails: A document that has the problem.
        passes: The same, mended.
    """

    code: ClassVar[str]
    severity: ClassVar[Severity] = "error"
    message: ClassVar[str]
    advice: ClassVar[str] = ""
    fails: ClassVar[str] = ""
    passes: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        if cls.code in _problems:
            raise TypeError(f"{cls.__name__} takes the code of {_problems[cls.code].__name__}")
        _problems[cls.code] = cls

    @classmethod
    def at(cls, span: Span, path: str = "", *, help: str = "", notes: Iterable[Note] = (), **facts: object) -> Diagnostic:
        """The diagnostic of this problem at one place."""
        shown = {name: _shortened(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
        message, help = cls.message.format(**shown), _shortened(help or cls.advice)
        return Diagnostic(cls.code, cls.severity, message, span, path, help, tuple(notes))

    @classmethod
    def explanation(cls) -> str:
        """What its docstring says, for people."""
        return inspect.cleandoc(cls.__doc__ or "").replace("``", "`")


_LONGEST = 2_000


def _shortened(text: str) -> str:
    """A text that is no longer than a person reads: a name in a file from outside may have 60,000 letters."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 100]} … {text[-80:]}"


def once(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Of diagnostics that say the same of the same place, as a block used often does, the first."""
    first: dict[tuple[str, Span], Diagnostic] = {}
    for diagnostic in diagnostics:
        first.setdefault((diagnostic.code, diagnostic.span), diagnostic)
    return list(first.values())


def problems() -> Mapping[str, type[Problem]]:
    """Every problem of the modules imported so far, by code."""
    return dict(sorted(_problems.items()))


class SpecError(NnspecError):
    """A document that has errors; all of them, in the order of the file.

    Attributes:
        diagnostics: The errors, and the warnings beside them.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(f"{d.span}: {d.severity}[{d.code}]: {d.message}" for d in self.diagnostics))
