"""Follows what the help of a diagnostic says to do, literally, as far as a text can be edited by rule."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nnspec.diagnostics import Diagnostic

__all__ = ["edits"]

_MEANT = re.compile(r"did you mean `([^`]+)`\?|it is called `([^`]+)`|(?:write|use|give the layer|try) `([^`…]+)`")
_REMOVE = re.compile(r"(?:take it away|leave it out|remove it|leave `\w+` out|take `\w+` away)")


def edits(text: str, diagnostic: Diagnostic) -> Iterator[str]:
    """The texts that the help may mean: the place replaced, its entry replaced, or something put beside it."""
    lines = text.splitlines(keepends=True)
    span = diagnostic.span
    if not 1 <= span.line <= len(lines):
        return
    start = sum(map(len, lines[: span.line - 1])) + span.column - 1
    end = sum(map(len, lines[: span.end_line - 1])) + span.end_column - 1
    for match in _MEANT.finditer(diagnostic.help):
        new = next(group for group in match.groups() if group)
        yield from _with(text, start, end, new)
    if _REMOVE.search(diagnostic.help):
        yield from _without(text, start, end)


def _with(text: str, start: int, end: int, new: str) -> Iterator[str]:
    new = re.sub(r"^- ", "", new)
    yield text[:start] + new + text[end:]
    if ": " in new:
        key, _, value = new.partition(": ")
        yield text[:start] + value + text[end:]
        entry = re.compile(rf"(?<![\w.]){re.escape(key)}: *(\{{[^{{}}]*\}}|\[[^\[\]]*\]|[^,}}\]\n]+)")
        for found in entry.finditer(text):
            yield text[: found.start()] + new + text[found.end() :]
        line = text.rfind("\n", 0, start) + 1
        stop = text.find("\n", end)
        for brace in [m.end() for m in re.finditer(r"\{", text[line:stop])][::-1]:
            yield f"{text[: line + brace]}{new}, {text[line + brace :]}".replace(", }", "}")
        indent = re.match(r" *(?:- )?", text[line:])
        assert indent is not None
        yield f"{text[:stop]}\n{' ' * len(indent[0])}{new}{text[stop:]}"
        yield f"{text}{new}\n"
        yield f"{text[:line]}{new}\n{text[line:]}"


def _without(text: str, start: int, end: int) -> Iterator[str]:
    for before in (r",\s*[\w]+:\s*$", r"[\w]+:\s*$", r",\s*$", r"^[ ]*- $", r"$"):
        lead = re.search(before, text[:start], re.MULTILINE)
        if lead is None:
            continue
        for after in (r"\s*:\s*(?:\{[^{}]*\}|\[[^\[\]]*\]|[^,}\]\n]+)(?:,\s*)?", r",\s*", r""):
            tail = re.match(after, text[end:])
            if tail is not None:
                yield text[: lead.start()] + text[end + tail.end() :]
    line, stop = text.rfind("\n", 0, start) + 1, text.find("\n", end) + 1
    yield text[:line] + text[stop:]
    last = text.rfind("\n", 0, line - 1) + 1  # with the key above, which would be empty
    yield text[:last] + text[stop:]
