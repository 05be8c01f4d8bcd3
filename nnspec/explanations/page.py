"""``docs/diagnostics.md``, written from the problems' classes by ``nnspec explain --all``."""

from __future__ import annotations

from nnspec.diagnostics import Problem
from nnspec.explanations.codes import all_problems, pattern, shown

__all__ = ["diagnostics_page"]

_HEAD = """\
# Diagnostics

<!-- Written by `nnspec explain --all > docs/diagnostics.md`; edit the classes in nnspec/**/problems.py instead. -->

Everything `nnspec` says of a spec has a stable code. `nnspec explain CODE` prints its part of this page.

- An **error** stops the command: the model cannot be built as it is written.
- A **warning** is legal and probably not what was meant. `nnspec validate --strict` makes warnings fail;
  `# nnspec: ignore[NN231]` at the end of a line silences one there, `ignore[NN231, NN242]` several.
- A **note** says what is good to know, and never fails.
"""


def diagnostics_page() -> str:
    """The page in Markdown: a table of all codes, then each with its examples."""
    known = all_problems().values()
    rows = [f"| {p.severity} | [{p.code}](#{_anchor(p)}) | {_cell(pattern(p))} |" for p in known]
    table = "\n".join(["| severity | code | message |", "|---|---|---|", *rows])
    return "\n".join([_HEAD, table, "", *map(_section, known)])


def _anchor(problem: type[Problem]) -> str:
    return f"{problem.code} {problem.__name__}".lower().replace(" ", "-")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _section(problem: type[Problem]) -> str:
    parts = [f"## {problem.code} {problem.__name__}", f"*{problem.severity}*: {_cell(pattern(problem))}", problem.explanation()]
    if problem.fails:
        parts += [_fenced(problem.fails, "yaml"), "is answered with", _fenced(shown(problem), "text")]
        parts += ["and this passes:", _fenced(problem.passes, "yaml")]
    return "\n\n".join(parts) + "\n"


def _fenced(text: str, language: str) -> str:
    """A code block; a control character in it is shown as its escape, so that the page stays text."""
    visible = "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text.rstrip())
    return f"```{language}\n{visible}\n```"
