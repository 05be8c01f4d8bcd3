"""Diagnostics of users' files: codes, locations, messages and fixes."""

from nnspec.diagnostics.diagnostic import Diagnostic, NnspecError, Note, Problem, Severity, SpecError, once, problems
from nnspec.diagnostics.span import Span

__all__ = ["Diagnostic", "NnspecError", "Note", "Problem", "Severity", "Span", "SpecError", "once", "problems"]
