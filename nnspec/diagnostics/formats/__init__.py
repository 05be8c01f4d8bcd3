"""Diagnostics for machines: one module a form, each with ``written(checked, strict)``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module

from nnspec.diagnostics.diagnostic import Diagnostic

__all__ = ["FORMATS", "Checked", "written"]

Checked = Mapping[str, Sequence[Diagnostic]]
"""What was said of each spec, by the spec's name; nothing of a good one."""

FORMATS = ("json", "github", "sarif", "junit")
"""The contract's own JSON, GitHub's workflow commands, SARIF 2.1.0, JUnit XML."""


def written(form: str, checked: Checked, *, strict: bool = False) -> str:
    """Diagnostics in one of the [`FORMATS`][].

    Args:
        form: Which.
        checked: The diagnostics of each spec.
        strict: Whether a warning makes its spec fail.

    Example:
        >>> written("json", {})
        '{\\n "diagnostics": []\\n}'
    """
    text: str = import_module(f"nnspec.diagnostics.formats.{form}").written(checked, strict)
    return text
