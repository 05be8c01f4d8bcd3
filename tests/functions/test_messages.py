"""Messages about wrong expressions: each points into the expression, and its help can be followed.

``NNSPEC_GOLDEN=write pytest tests/functions`` writes the renderings anew; read the difference before committing it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nnspec.api import validate
from nnspec.diagnostics import Diagnostic
from tests.functions.wrong_expressions import SPECS, WRONG, spec

_OF_THE_REST = frozenset({"NN122", "NN232"})
"""Warnings of inputs and params that the step does not use."""

GOLDEN = Path(__file__).parent.parent / "golden" / "compute"


def _step(expression: str) -> str:
    quoted = '"' + expression.replace('"', '\\"') + '"'
    return f"  - Compute: {quoted}\n"


GROUPS = {**{name: tuple(map(_step, texts)) for name, texts in WRONG.items()}, **SPECS}


def _rendered(step: str, folder: Path) -> str:
    text = spec(step)
    (folder / "net.nnspec.yaml").write_text(text, encoding="utf-8")
    found = [each for each in validate("net.nnspec.yaml") if each.code not in _OF_THE_REST]
    return "".join(f"{_shown(each, text.splitlines())}\n" for each in found)


def _shown(found: Diagnostic, lines: list[str]) -> str:
    """A diagnostic: its line, what it underlines, the message and the help."""
    span = found.span
    line = lines[span.line - 1] if span.line <= len(lines) else ""
    end = span.end_column if span.end_line == span.line else len(line) + 1
    underline = " " * (span.column - 1) + "^" * max(end - span.column, 1)
    help = f"\n    help: {found.help}" if found.help else ""
    return f"{_short(line)}\n{_short(underline)} {found.code}: {found.message}{help}"


def _short(text: str) -> str:
    return text if len(text) < 200 else f"{text[:150]} …"


@pytest.mark.parametrize("group", GROUPS)
def test_wrong_expressions_are_reported_exactly_so(group, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parts = [_rendered(step, tmp_path) or f"{step.rstrip()}\nVALID\n" for step in GROUPS[group]]
    rendered = "\n".join(parts)
    golden = GOLDEN / f"{group.replace(', ', ' ').replace(' ', '_')}.txt"
    if os.environ.get("NNSPEC_GOLDEN") == "write":
        golden.write_text(rendered, encoding="utf-8")
    assert rendered == golden.read_text(encoding="utf-8")
