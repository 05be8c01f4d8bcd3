"""Folding of steps that are already canonical into one item, because ruamel.yaml takes 0.3 ms per step."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Without quotes, anchors, tags, comments or block scalars: text that ruamel.yaml writes unchanged.
_PLAIN = r"-?[A-Za-z0-9_.$+][A-Za-z0-9_.$+/*()-]*(?: [A-Za-z0-9_.$+/*()-]+)*"
_LIST = rf"\[{_PLAIN}(?:, {_PLAIN})*\]"
_PAIR = rf"{_PLAIN}: (?:{_PLAIN}|{_LIST})"
_VALUE = rf"(?:{_PLAIN}|{_LIST}|\{{{_PAIR}(?:, {_PAIR})*\}})"
_FIRST = re.compile(rf"(?P<indent> *)- (?:[A-Za-z]\w*: {_VALUE}|[A-Za-z]\w*)\n")
_NEXT = re.compile(rf"(?P<indent> *)  [A-Za-z]\w*: {_VALUE}\n")

_FEWEST = 4
"""Minimum length of a run. Its first and last step remain, since comments may be next to them."""


def folded(text: str, width: int) -> tuple[str, list[str]]:
    """Replace the inner steps of each run by one item; returns the text and the removed lines by item number.

    Args:
        text: Document.
        width: Maximum line length of the canonical style.
    """
    if _MARK in text:
        return text, []
    kept: list[str] = []
    left_out: list[str] = []
    lines = text.splitlines(keepends=True)
    place = 0
    for start, run in _runs(lines, width):
        kept += [*lines[place:start], *run[0]]
        inner = [line for item in run[1:-1] for line in item]
        indent = len(inner[0]) - len(inner[0].lstrip())
        kept += [f"{' ' * indent}- {_MARK}{len(left_out)}\n", *run[-1]]
        left_out.append("".join(line[indent:] for line in inner))
        place = start + sum(map(len, run))
    return "".join([*kept, *lines[place:]]), left_out


def unfolded(text: str, left_out: list[str]) -> str | None:
    """Restore the removed lines, indented like the items that replaced them.

    Returns:
        The document; None if an item is not found exactly once on its own line, because it was part of a string.
    """
    places = _PLACE.findall(text)
    if text.count(_MARK) != len(left_out) or [int(number) for _, number in places] != [*range(len(left_out))]:
        return None

    def back(found: re.Match[str]) -> str:
        return "".join(found[1] + line for line in left_out[int(found[2])].splitlines(keepends=True))

    return _PLACE.sub(back, text)


_MARK = "nnspec.folded."
_PLACE = re.compile(rf"^( *)- {re.escape(_MARK)}(\d+)\n", re.MULTILINE)


def _runs(lines: list[str], width: int) -> Iterator[tuple[int, list[list[str]]]]:
    """Yield the start of each run of steps of equal indentation, and the lines of its steps."""
    number = 0
    while number < len(lines):
        start, run, depth = number, list[list[str]](), None
        while (item := _item(lines, number, width)) is not None:
            indent = len(item[0]) - len(item[0].lstrip())
            if depth not in (None, indent):
                break
            depth = indent
            run.append(item)
            number += len(item)
        # Deeper lines after the last step belong to it, so it is not canonical.
        if len(run) >= _FEWEST:
            yield start, run
        number = max(number, start + 1)


def _item(lines: list[str], number: int, width: int) -> list[str] | None:
    """Return the lines of a canonical step; None if it is not one."""
    if number >= len(lines) or len(lines[number]) > width or (first := _FIRST.fullmatch(lines[number])) is None:
        return None
    end, indent = number + 1, first["indent"]
    while end < len(lines) and len(lines[end]) <= width:
        more = _NEXT.fullmatch(lines[end])
        if more is None or more["indent"] != indent:
            break
        end += 1
    return lines[number:end]
