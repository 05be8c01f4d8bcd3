"""Explanations of problems: the docstring, a failing example with its output, and a passing example."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from nnspec.diagnostics import Diagnostic, NnspecError, Note, Problem, Span, problems
from nnspec.diagnostics.render import render
from nnspec.training.objectives import OBJECTIVES

_MODULES = (
    "nnspec.spec.problems",
    "nnspec.graph.problems",
    "nnspec.keras_import.problems",
    "nnspec.data.problems",
    "nnspec.training.problems",
    "nnspec.training.objectives.problems",
    "nnspec.generation.problems",
    "nnspec.neighbors.problems",
    "nnspec.sweeping.problems",
)
_FILE = "net.nnspec.yaml"


def all_problems() -> Mapping[str, type[Problem]]:
    """Return every problem by code, independent of what has been imported."""
    own = (f"{package}.problems" for package in sorted(set(OBJECTIVES.modules.values())))
    for module in (*_MODULES, *(name for name in own if find_spec(name))):
        import_module(module)
    return problems()


def pattern(problem: type[Problem]) -> str:
    """Return a problem's message with ``…`` for placeholders, or its explanation if the message is only a placeholder."""
    text = re.sub(r"\{[^{}]*\}", "…", problem.message)
    return text if text != "…" else re.split(r"(?<=[.;])\s", problem.explanation())[0].rstrip(".;")


def shown(problem: type[Problem]) -> str:
    """Return the output for the failing example, or an empty string if there is none."""
    from nnspec.api import validate

    if not problem.fails:
        return ""
    with TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        file = root / _FILE
        file.write_text(problem.fails, encoding="utf-8")
        found = [_moved(d, root) for d in validate(file, root=root) if d.code == problem.code]
    return "\n\n".join(render(d, lines=lambda name: problem.fails.splitlines() if name == _FILE else ()) for d in found)


def _moved(diagnostic: Diagnostic, root: Path) -> Diagnostic:
    """Return a diagnostic with file names relative to a folder."""

    def moved(span: Span) -> Span:
        path = Path(span.file).resolve()
        return replace(span, file=str(path.relative_to(root))) if path.is_relative_to(root) else span

    notes = tuple(Note(note.message, moved(note.span) if note.span else None) for note in diagnostic.notes)
    return replace(diagnostic, span=moved(diagnostic.span), notes=notes)


def fixed_by(problem: type[Problem]) -> str:
    """Return what can be fixed automatically, as a sentence; empty if nothing."""
    return f"Fixed by `nnspec validate --fix`: {problem.fixable}." if problem.fixable else ""


def explain_code(code: str) -> str:
    """Return the output of ``nnspec explain NN101``.

    Raises:
        NnspecError: If the code does not exist.

    Example:
        >>> print(explain_code("NN001"))
        NN001 NoSuchFile (error): file not found
        <BLANKLINE>
        A file named on the command line, or by another spec, does not exist.
        <BLANKLINE>
        It cannot be fixed automatically.
    """
    known = all_problems()
    problem = known.get(code.upper())
    if problem is None:
        raise NnspecError(f"unknown code {code}; codes range from {min(known)} to {max(known)}, see `nnspec explain --all`")
    parts = [f"{problem.code} {problem.__name__} ({problem.severity}): {pattern(problem)}", problem.explanation()]
    if problem.fails:
        parts += ["This fails:", _indented(problem.fails), "Output:", _indented(shown(problem))]
        parts += ["This passes:", _indented(problem.passes)]
    parts.append(fixed_by(problem) or "It cannot be fixed automatically.")
    if problem.severity != "error":
        parts.append(f"To suppress it, end its line with `# nnspec: ignore[{problem.code}]`.")
    return "\n\n".join(parts)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.rstrip().splitlines())
