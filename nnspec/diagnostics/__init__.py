"""Diagnostics of users' files: codes, locations, messages and fixes."""

from nnspec.diagnostics.diagnostic import (
    MISSPELLED,
    Diagnostic,
    NnspecError,
    Note,
    Problem,
    Severity,
    SpecError,
    once,
    problems,
)
from nnspec.diagnostics.fixes import Edit, Fix, with_fixes
from nnspec.diagnostics.remedies import Advice
from nnspec.diagnostics.sources import in_memory, source_text, text_in_memory
from nnspec.diagnostics.span import Span

__all__ = [
    "MISSPELLED",
    "Advice",
    "Diagnostic",
    "Edit",
    "Fix",
    "NnspecError",
    "Note",
    "Problem",
    "Severity",
    "Span",
    "SpecError",
    "in_memory",
    "once",
    "problems",
    "source_text",
    "text_in_memory",
    "with_fixes",
]
