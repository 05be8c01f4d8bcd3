"""Common YAML mistakes, each reported with a fix and corrected so that reading continues."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml

from nnspec.diagnostics import Diagnostic, Span
from nnspec.spec import problems as p

_STEP_KEYS = "name|from|repeat|as|share|freeze|weights"


@dataclass(frozen=True)
class Correction:
    """A mistake that was found.

    Attributes:
        diagnostic: Report of the mistake.
        text: The whole text with the mistake corrected and line numbers unchanged; None if it cannot be corrected.
    """

    diagnostic: Diagnostic
    text: str | None


_GLUED = re.compile(r"^(?P<lead>[ ]*-[ ]+)(?P<op>[A-Za-z_]\w*):(?P<open>[{\[])", re.MULTILINE)
_RUN_ON = re.compile(rf"^(?P<lead>[ ]*-[ ]+)(?P<op>[A-Za-z_]\w*)[ ]+(?P<key>{_STEP_KEYS}):(?P<value>[ ][^#\n]+)", re.MULTILINE)


def before_parsing(text: str, name: str) -> Iterator[Correction]:
    """Yield mistakes that are valid YAML but never intended: ``- Dense:{units: 3}``, ``- Concatenate from: [a]``."""
    start = 0
    while match := _GLUED.search(text, start):
        start = match.start()
        at = match.start("open")
        mended = f"{text[:at]} {text[at:]}"
        text = mended
        help = f"write `{text[match.start('op') : (text + chr(10)).index(chr(10), at)].strip()}`"
        yield Correction(p.MissingSpace.at(_span(text, at - 1, at, name), help=help, after=f"{match['op']}:"), mended)
    start = 0
    while match := _RUN_ON.search(text, start):
        start = match.start()
        op, key, value = match["op"], match["key"], match["value"].strip()
        end = match.end("value") - len(match["value"]) + len(match["value"].rstrip(" "))
        mended = f"{text[: match.start('op')]}{{{op}: , {key}: {value}}}{text[end:]}"
        span = _span(text, match.start("key"), match.end("key"), name)
        indent = " " * len(match["lead"])
        help = f"write `- {op}:` and, on the next line, `{indent}{key}: {value}`"
        yield Correction(p.RunOn.at(span, help=help, op=op, key=key), mended)
        text = mended


def after_an_error(text: str, name: str, error: yaml.MarkedYAMLError) -> Correction | None:
    """Return the common mistake that caused a syntax error, if recognized."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return None
    lines = text.split("\n")
    if mark.line >= len(lines):
        return None
    finders: tuple[Callable[[str, str, list[str], int, int], Correction | None], ...] = (
        _tab, _no_colon, _bare_expression, _unquoted, _no_braces,
    )  # fmt: skip
    for find in finders:
        if found := find(text, name, lines, mark.line, mark.column):
            return found
    return None


def _tab(text: str, name: str, lines: list[str], line: int, column: int) -> Correction | None:
    """Return a report of indentation with tabs."""
    del text, column
    indent = re.match(r"[ \t]*", lines[line])
    if indent is None or "\t" not in indent[0]:
        return None
    first = indent[0].index("\t")
    span = Span(name, line + 1, first + 1, line + 1, len(indent[0]) + 1)
    return Correction(p.Tab.at(span, help="indent with two spaces per level"), None)  # the intended indentation is unknown


_BARE = re.compile(r"^(?P<lead>[ ]*-[ ]+)(?P<op>[A-Za-z_]\w*)[ ]*(?:#.*)?$")
_KEY = re.compile(rf"^(?P<indent>[ ]+)(?P<key>{_STEP_KEYS}|[a-z_]\w*):")


def _no_colon(text: str, name: str, lines: list[str], line: int, column: int) -> Correction | None:
    """Return a report of ``- Concatenate`` with ``from:`` below it and no colon."""
    del text, column
    for at in (line, line - 1):
        key = _KEY.match(lines[at]) if at >= 1 else None
        bare = _BARE.match(lines[at - 1]) if key else None
        if key and bare and len(key["indent"]) >= len(bare["lead"]):
            op = bare["op"]
            end = bare.end("op")
            span = Span(name, at, bare.start("op") + 1, at, end + 1)
            mended = [*lines[: at - 1], f"{lines[at - 1][:end]}:{lines[at - 1][end:]}", *lines[at:]]
            help = f"write `- {op}:`, so that it can have `{key['key']}` below it"
            return Correction(p.NoColon.at(span, help=help, op=op), "\n".join(mended))
    return None


_LONGEST_LINE = 2_000
"""Maximum line length for suggestions; longer lines were probably generated."""

_EXPRESSION = re.compile(r"(?<![\"'])\$\{[^}\n]*\}")


def _unquoted(text: str, name: str, lines: list[str], line: int, column: int) -> Correction | None:
    """Return a report of an unquoted ``${…}`` after a brace, which starts a mapping."""
    del text, column
    for at in (line, line - 1):
        if at < 0 or len(lines[at]) > _LONGEST_LINE:
            continue
        for match in _EXPRESSION.finditer(lines[at]):
            before = lines[at][: match.start()]
            if before.count('"') % 2 or before.count("'") % 2 or "#" in before:
                continue
            start = len(before) - len(re.search(r"[\w.-]*$", before)[0])  # type: ignore[index]
            end = match.end() + len(re.match(r"[\w.-]*", lines[at][match.end() :])[0])  # type: ignore[index]
            value = lines[at][start:end]
            span = Span(name, at + 1, start + 1, at + 1, end + 1)
            mended = [*lines[:at], f'{lines[at][:start]}"{value}"{lines[at][end:]}', *lines[at + 1 :]]
            short = re.fullmatch(r"\$\{(\w+)\}", value)
            help = f'write `"{value}"`' + (f", or `${short[1]}`" if short else "")
            return Correction(p.Unquoted.at(span, help=help, value=value), "\n".join(mended))
    return None


_BLOCK = re.compile(r"^[ ]*(?:-[ ]+)?(?:Compute|that):[ ]+(?P<value>[^'\"|>\s{][^\n]*?)(?=[ ]+#|[ ]*$)")
_FLOW = re.compile(r"\{[ ]*(?:[^{}'\"]*,[ ]*)?(?:Compute|that):[ ]+(?P<value>[^'\"\s{][^{}\n]*?)(?=,[ ]*\w+:|[ ]*\})")


def _bare_expression(text: str, name: str, lines: list[str], line: int, column: int) -> Correction | None:
    """Return a report of an unquoted expression of ``Compute`` or ``that`` which YAML reads as something else."""
    del text, column
    for at in (line, line - 1):
        written = lines[at] if at >= 0 and len(lines[at]) <= _LONGEST_LINE else ""
        match = _BLOCK.match(written) or _FLOW.search(written)
        if match is None:
            continue
        value = match["value"]
        quoted = f'"{value}"' if '"' not in value and "\\" not in value else "'" + value.replace("'", "''") + "'"
        span = Span(name, at + 1, match.start("value") + 1, at + 1, match.end("value") + 1)
        mended = [*lines[:at], written[: match.start("value")] + quoted + written[match.end("value") :], *lines[at + 1 :]]
        return Correction(p.Unquoted.at(span, help=f"write `{quoted}`", value=value), "\n".join(mended))
    return None


_KEYS_BEHIND = re.compile(r"^(?P<lead>[ ]*-[ ]+)(?P<op>[A-Za-z_]\w*):[ ]+(?P<keys>[a-z_]\w*:[ ][^#\n]*?)[ ]*(?=#|$)")
_NAME_BEHIND = re.compile(r"\b(?P<key>\w+):[ ]+(?P<op>[A-Z]\w*):[ ]+(?P<keys>\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})")


def _no_braces(text: str, name: str, lines: list[str], line: int, column: int) -> Correction | None:
    """Return a report of ``- Dense: units: 10`` or ``optimizer: Adam: {…}``, which need braces."""
    del text, column
    for at in (line, line - 1):
        written = lines[at] if at >= 0 else ""
        if match := _KEYS_BEHIND.match(written):
            new = f"{match['op']}: {{{match['keys']}}}"
            start, end, shown = match.start("op"), match.end("keys"), f"{match['op']}: "
        elif match := _NAME_BEHIND.search(written):
            new = f"{match['key']}: {{{match['op']}: {match['keys']}}}"
            start, end, shown = match.start("key"), match.end("keys"), f"{match['key']}: "
        else:
            continue
        mended = [*lines[:at], written[:start] + new + written[end:], *lines[at + 1 :]]
        span = Span(name, at + 1, start + len(shown) + 1, at + 1, end + 1)
        help = f"write `{new}`"
        return Correction(p.NoBraces.at(span, help=help, after=shown.strip()), "\n".join(mended))
    return None


def _span(text: str, start: int, end: int, name: str) -> Span:
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    return Span(name, line, column, line, column + end - start)
