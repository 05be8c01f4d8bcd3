"""Machine-readable diagnostics: one module per format, each with ``written(checked, strict, seconds)``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module

from nnspec.diagnostics.diagnostic import Diagnostic

__all__ = ["FORMATS", "Checked", "written"]

Checked = Mapping[str, Sequence[Diagnostic]]
"""Diagnostics of each spec by name; empty for a valid one."""

FORMATS = ("json", "github", "sarif", "junit")
"""nnspec's own JSON, GitHub's workflow commands, SARIF 2.1.0, JUnit XML."""


def written(form: str, checked: Checked, *, strict: bool = False, seconds: Mapping[str, float] | None = None) -> str:
    """Format diagnostics in one of the [`FORMATS`][].

    Args:
        form: Name of the format.
        checked: Diagnostics of each spec.
        strict: Whether a warning makes its spec fail.
        seconds: How long each check took.

    Example:
        >>> written("json", {})
        '{\\n "diagnostics": []\\n}'
    """
    text: str = import_module(f"nnspec.diagnostics.formats.{form}").written(checked, strict, seconds or {})
    return text
