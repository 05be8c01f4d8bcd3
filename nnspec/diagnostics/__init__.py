"""Diagnostics of users' files: codes, locations, messages and fixes."""

from nnspec.diagnostics.diagnostic import Diagnostic, NnspecError, Note, Problem, Severity, SpecError, once, problems
from nnspec.diagnostics.fixes import Advice, Edit, Fix, Remedy, Respell, source_text, with_fixes
from nnspec.diagnostics.span import Span

__all__ = [
    "Advice",
    "Diagnostic",
    "Edit",
    "Fix",
    "NnspecError",
    "Note",
    "Problem",
    "Remedy",
    "Respell",
    "Severity",
    "Span",
    "SpecError",
    "once",
    "problems",
    "source_text",
    "with_fixes",
]
