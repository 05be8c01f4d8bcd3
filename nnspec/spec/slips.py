"""Common YAML mistakes, each reported with a fix and corrected so that reading continues."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml

from nnspec.diagnostics import Advice, Diagnostic, Span
from nnspec.diagnostics.remedies import Replace
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
        op = f"{match['op']}:"
        remedy = Replace(_span(text, match.start("op"), at, name), old=op, new=f"{op} ", title=f"Add a space after `{op}`")
        yield Correction(p.MissingSpace.at(_span(text, at - 1, at, name), help=Advice(help, remedy), after=op), mended)
    start = 0
    while match := _RUN_ON.search(text, start):
        start = match.start()
        op, key, value = match["op"], match["key"], match["value"].strip()
        end = match.end("value") - len(match["value"]) + len(match["value"].rstrip(" "))
        mended = f"{text[: match.start('op')]}{{{op}: , {key}: {value}}}{text[end:]}"
        span = _span(text, match.start("key"), match.end("key"), name)
        indent = " " * len(match["lead"])
        help = f"write `- {op}:` and, on the next line, `{indent}{key}: {value}`"
        start_of, written = match.start("op"), text[match.start("op") : end]
        new, title = f"{op}:\n{indent}{key}: {value}", f"Put `{key}` on a line of its own"
        remedy = Replace(_span(text, start_of, end, name), old=written, new=new, title=title)
        yield Correction(p.RunOn.at(span, help=Advice(help, remedy), op=op, key=key), mended)
        text = mended
    for start, end in reversed([*_in_flow_style(text), *_read_as_yaml(text)]):
        correction = _quoted(text, start, end, name)
        yield correction
        text = correction.text or text


def after_an_error(text: str, name: str, error: yaml.MarkedYAMLError) -> Correction | None:
    """Return the common mistake that caused a syntax error, if recognized."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return None
    lines = text.split("\n")
    if mark.line >= len(lines):
        return None
    finders: tuple[Callable[[str, str, list[str], int, int], Correction | None], ...] = (
        _tab, _no_colon, _unquoted, _no_braces, _expression,
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
    help = Advice("indent with two spaces per level", _spaces(lines, line, indent[0], name))
    return Correction(p.Tab.at(span, help=help), None)  # the intended indentation is unknown


def _spaces(lines: list[str], line: int, indent: str, name: str) -> Replace | None:
    """Return the replacement of tabs by spaces if the nearest items of a list, above and below, show how many."""
    if set(indent) != {"\t"} or not lines[line].lstrip().startswith("- "):
        return None
    around = [_item_indent(reversed(lines[:line])), _item_indent(iter(lines[line + 1 :]))]
    known = {width for width in around if width is not None}
    if known != {2 * len(indent)}:
        return None
    span = Span(name, line + 1, 1, line + 1, len(indent) + 1)
    return Replace(span, old=indent, new="  " * len(indent), title="Indent with spaces")


def _item_indent(lines: Iterator[str]) -> int | None:
    """Return the indentation of the first line that is an item of a list; None if a key without indentation comes first."""
    for line in lines:
        if line.strip() and not line.lstrip().startswith("#"):
            if line.lstrip(" ").startswith("- "):
                return len(line) - len(line.lstrip(" "))
            if not line.startswith((" ", "\t")):
                return None
    return None


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
            place = Span(name, at, bare.start("op") + 1, at, end + 1)
            remedy = Replace(place, old=op, new=f"{op}:", title=f"Add a colon after `{op}`")
            return Correction(p.NoColon.at(span, help=Advice(help, remedy), op=op), "\n".join(mended))
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
            remedy = Replace(old=value, new=f'"{value}"') if not re.search(r"[\"\\]", value) else None
            return Correction(p.Unquoted.at(span, help=Advice(help, remedy), value=value), "\n".join(mended))
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
        whole = Span(name, at + 1, start + 1, at + 1, end + 1)
        remedy = Replace(whole, old=written[start:end], new=new, title=f"Put braces around the keys after `{shown.strip()}`")
        help = Advice(f"write `{new}`", remedy)
        return Correction(p.NoBraces.at(span, help=help, after=shown.strip()), "\n".join(mended))
    return None


# --- expressions of `Compute` and `that` ----------------------------------------------------------------------------------

_HOLDER = re.compile(r"(?<![\w-])(?:Compute|that):[ ]+(?=\S)")
_ENTRY = re.compile(r"\s*\w+[ ]*:[ ]+")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'")
_LINE = re.compile(r"^(?P<lead>[ ]*(?:-[ ]+)?(?P<key>\w+):[ ]+)(?P<value>\S.*?)[ ]*(?:[ ]#[ ].*)?$")
_ALONE = re.compile(r"[|>][-+0-9]*")


def _in_flow_style(text: str) -> Iterator[tuple[int, int]]:
    """Yield the expressions in braces that YAML would split: ``{Compute: sum(x, axis=1)}``, ``Compute: {a: x[:, 1]}``."""
    for match in _HOLDER.finditer(text):
        at = match.end()
        before = text[text.rfind("\n", 0, at) + 1 : at]
        if "#" in before or before.count('"') % 2 or before.count("'") % 2:
            continue
        entries = [at]
        if text[at] == "{":
            entry = _ENTRY.match(text, at + 1)
            entries = [entry.end()] if entry else []
        elif before.count("{") <= before.count("}"):
            continue
        while entries:
            start = entries.pop()
            quoted = _QUOTED.match(text, start)
            end = quoted.end() if quoted else _end_in_flow(text, start)
            if not quoted and text[start : start + 1] not in "{$" and re.search(r"[\[\],{}]|: | #", text[start:end]):
                yield start, end
            if text[at] == "{" and (entry := re.compile(rf"\s*,{_ENTRY.pattern}").match(text, end)):
                entries.append(entry.end())


def _end_in_flow(text: str, start: int) -> int:
    """The end of an expression in braces: a comma or a brace outside its own brackets, or the end of the line."""
    depth = 0
    for at in range(start, min(len(text), start + _LONGEST_LINE)):
        if depth == 0 and text[at] in ",}])\n":
            return start + len(text[start:at].rstrip())
        depth += (text[at] in "([{") - (text[at] in ")]}")
    return start + len(text[start:].partition("\n")[0].rstrip())


def _block_expressions(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the expressions that are on the line of their key, not in braces: line, column and text."""
    if "Compute:" not in text and "that:" not in text:
        return
    inside = -1  # indentation of the `Compute:` whose results the lines are
    for line, written in enumerate(text.split("\n")):
        indent = len(written) - len(written.lstrip())
        if written.strip() and indent <= inside:
            inside = -1
        if re.fullmatch(r"[ ]*(?:-[ ]+)?Compute:[ ]*(?:#.*)?", written):
            inside = indent
        elif (match := _LINE.match(written)) and (match["key"] in ("Compute", "that") or inside >= 0):
            value = match["value"]
            is_plain = not _QUOTED.fullmatch(value) and not _ALONE.fullmatch(value) and value[0] != "#"
            yield from [(line, match.start("value"), value)] if is_plain else []


def _read_as_yaml(text: str) -> Iterator[tuple[int, int]]:
    """Yield the expressions that YAML would read as an alias, an anchor or a tag: ``Compute: *x``."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    for line, column, value in _block_expressions(text):
        name = re.match(r"[*&]([\w-]+)", value)
        other = name and f"{'&' if value[0] == '*' else '*'}{name[1]}"
        if (other and not re.search(rf"(?<!\w){re.escape(other)}\b", text)) or re.match(r"![\w(]", value):
            yield starts[line] + column, starts[line] + column + len(value)


def _expression(text: str, name: str, lines: list[str], line: int, column: int) -> Correction | None:
    """Return a report of an expression whose characters mean something else in YAML: ``Compute: x[:, 1: ]``."""
    del column
    for at, start, value in _block_expressions(text):
        if at in (line, line - 1) and len(lines[at]) <= _LONGEST_LINE:
            before = sum(len(each) + 1 for each in lines[:at]) + start
            return _quoted(text, before, before + len(value), name)
    return None


def _quoted(text: str, start: int, end: int, name: str) -> Correction:
    value = text[start:end]
    new = f'"{value}"' if not re.search(r"[\"\\]", value) else "'" + value.replace("'", "''") + "'"
    help = Advice(f"write `{new}`", Replace(old=value, new=new))
    return Correction(p.Unquoted.at(_span(text, start, end, name), help=help, value=value), text[:start] + new + text[end:])


def _span(text: str, start: int, end: int, name: str) -> Span:
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    return Span(name, line, column, line, column + end - start)
