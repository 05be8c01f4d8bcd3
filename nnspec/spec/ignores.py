"""``# nnspec: ignore[NN203]`` comments, which suppress warnings on their line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from nnspec.diagnostics import Advice, Diagnostic, Edit, Fix, Problem, Span, source_text
from nnspec.diagnostics.remedies import Remedy
from nnspec.diagnostics.sources import SourceText
from nnspec.spec import problems as p
from nnspec.spec.comments import comments

_MARK = re.compile(r"#[ \t]*nnspec:")
_IGNORE = re.compile(r"#[ \t]*nnspec:[ \t]*(?:ignore[ \t]*\[(?P<codes>[^\]#]*)\]|ignore\b|noqa\b|\w+[ \t]*\[)")
_MOST_IGNORES = 1_000
"""Maximum number of comments checked for usefulness."""
_CODE = re.compile(r"[^,\s]+")


@dataclass(frozen=True)
class _Ignore:
    code: str
    span: Span


def silence(problems: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Remove the warnings that a comment on their line ignores."""
    codes = {file: _codes(file) for file in {problem.span.file for problem in problems if not problem.is_error}}
    return [d for d in problems if d.is_error or (d.span.line, d.code) not in codes[d.span.file]]


def useless_ignores(
    file: str, problems: Sequence[Diagnostic], known: Callable[[], Mapping[str, type[Problem]]]
) -> list[Diagnostic]:
    """Yield a warning for each ignore comment in a file that suppresses no diagnostic.

    Ignores of data warnings (``NN4…``) are not checked, because the data may differ between machines.

    Args:
        file: File to check.
        problems: All diagnostics of the file, before [`silence`][].
        known: Returns every problem by code; called only if an ignore comment is found.
    """
    silenced = {(d.span.line, d.code) for d in problems if d.span.file == file and not d.is_error}
    complete = not any(problem.is_error for problem in problems)  # with errors, some warnings are not checked
    found: list[Diagnostic] = []
    for ignore in islice(_ignores(file), _MOST_IGNORES):
        if (ignore.span.line, ignore.code) in silenced:
            continue
        problem = known().get(ignore.code)
        help = "remove it"
        if not ignore.code:
            reason = "invalid `nnspec:` comment"
            help = "write `# nnspec: ignore[NN203]`, with the codes of the warnings"
        elif problem is None:
            reason = f"unknown code `{ignore.code}`"
        elif problem.severity == "error":
            help = Advice(help, Unignore())
            reason = f"`{ignore.code}` is an error, and errors cannot be ignored"
        elif complete and not ignore.code.startswith("NN4"):
            help = Advice(help, Unignore())
            reason = f"unused ignore: no `{ignore.code}` on this line"
        else:
            continue
        found.append(p.UselessIgnore.at(ignore.span, help=help, reason=reason))
    return found


@dataclass(frozen=True)
class Unignore(Remedy):
    """A code is removed from an ignore comment, and the comment with the last code."""

    def fix(self, span: Span, source: SourceText) -> Fix | None:
        found, line = source.range(span), source.offset(span.line, 1)
        if found is None or line is None:
            return None
        end = source.line_end(line)
        mark = next((m for m in _IGNORE.finditer(source.text, line, end) if m.start() < found[0] < m.end()), None)
        if mark is None or mark["codes"] is None:
            return None
        codes = [code.span() for code in _CODE.finditer(source.text, *mark.span("codes"))]
        if found not in codes:
            return None
        place = codes.index(found)
        if len(codes) > 1:
            cut = (found[0], codes[1][0]) if place == 0 else (codes[place - 1][1], found[1])
        elif source.text[mark.end() : end].strip():
            return None
        else:
            cut = line + len(source.text[line : mark.start()].rstrip()), end
        title = f"Remove `{source.text[slice(*found)]}`" if len(codes) > 1 else "Remove the comment"
        return Fix(title, (Edit(source.span(span.file, *cut), ""),))


def _codes(file: str) -> set[tuple[int, str]]:
    return {(ignore.span.line, ignore.code) for ignore in _ignores(file)}


def _ignores(file: str) -> Iterator[_Ignore]:
    """Yield each code of each ignore comment; an item without a code marks an invalid ``nnspec:`` comment."""
    text = source_text(file) or ""
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
