"""``# nnspec: ignore[NN203]``: warnings that the author of a line does not want to hear of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from nnspec.diagnostics import Diagnostic, Problem, Span
from nnspec.spec import problems as p
from nnspec.spec.comments import comments

__all__ = ["silence", "useless_ignores"]

_MARK = re.compile(r"#[ \t]*nnspec:")
_IGNORE = re.compile(r"#[ \t]*nnspec:[ \t]*(?:ignore[ \t]*\[(?P<codes>[^\]#]*)\]|ignore\b|noqa\b|\w+[ \t]*\[)")
_MOST_IGNORES = 1_000
"""Of so many it is checked whether they are of use."""
_CODE = re.compile(r"[^,\s]+")


@dataclass(frozen=True)
class _Ignore:
    code: str
    span: Span


def silence(problems: Sequence[Diagnostic]) -> list[Diagnostic]:
    """The diagnostics without the warnings that a comment on their line ignores."""
    codes = {file: _codes(file) for file in {problem.span.file for problem in problems if not problem.is_error}}
    return [d for d in problems if d.is_error or (d.span.line, d.code) not in codes[d.span.file]]


def useless_ignores(
    file: str, problems: Sequence[Diagnostic], known: Callable[[], Mapping[str, type[Problem]]]
) -> list[Diagnostic]:
    """A warning for each ignore in a file that silences none of the diagnostics.

    What the data are like changes from machine to machine, so the ignores of their warnings (``NN4…``) are let be.

    Args:
        file: The file.
        problems: All its diagnostics, before [`silence`][].
        known: Gives every problem there is, by code; asked only where an ignore is found.
    """
    silenced = {(d.span.line, d.code) for d in problems if d.span.file == file and not d.is_error}
    complete = not any(problem.is_error for problem in problems)  # with errors, not all warnings are looked for
    found: list[Diagnostic] = []
    for ignore in islice(_ignores(file), _MOST_IGNORES):
        if (ignore.span.line, ignore.code) in silenced:
            continue
        problem = known().get(ignore.code)
        help = "remove it"
        if not ignore.code:
            reason = "an `nnspec:` comment that cannot be read"
            help = "write `# nnspec: ignore[NN203]`, with the codes of the warnings"
        elif problem is None:
            reason = f"there is no problem `{ignore.code}` to ignore"
        elif problem.severity == "error":
            reason = f"`{ignore.code}` is an error, and errors cannot be ignored"
        elif complete and not ignore.code.startswith("NN4"):
            reason = f"there is no `{ignore.code}` on this line to ignore"
        else:
            continue
        found.append(p.UselessIgnore.at(ignore.span, help=help, reason=reason))
    return found


def _codes(file: str) -> set[tuple[int, str]]:
    return {(ignore.span.line, ignore.code) for ignore in _ignores(file)}


def _ignores(file: str) -> Iterator[_Ignore]:
    """Each code of each ignore; one without a code for an ``nnspec:`` comment that cannot be read."""
    try:
        text = Path(file).read_text("utf-8-sig") if Path(file).is_file() else ""
    except (OSError, ValueError):
        return
    if not _MARK.search(text):
        return
    for line, column, comment in comments(text):
        for mark in _IGNORE.finditer(comment):
            codes = list(_CODE.finditer(comment, *mark.span("codes"))) if mark["codes"] else []
            for code in codes:
                start, end = column + code.start(), column + code.end()
                yield _Ignore(code[0], Span(file, line, start, line, end))
            if not codes:
                yield _Ignore("", Span(file, line, column + mark.start(), line, column + mark.end()))
