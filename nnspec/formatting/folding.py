"""Runs of steps in canonical style, folded into one item while the rest is restyled: ruamel.yaml takes 0.3 ms a step."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["folded", "unfolded"]

# No quote, anchor, tag, comment or block: what ruamel.yaml writes as it reads it.
_PLAIN = r"-?[A-Za-z0-9_.$+][A-Za-z0-9_.$+/*()-]*(?: [A-Za-z0-9_.$+/*()-]+)*"
_LIST = rf"\[{_PLAIN}(?:, {_PLAIN})*\]"
_PAIR = rf"{_PLAIN}: (?:{_PLAIN}|{_LIST})"
_VALUE = rf"(?:{_PLAIN}|{_LIST}|\{{{_PAIR}(?:, {_PAIR})*\}})"
_FIRST = re.compile(rf"(?P<indent> *)- (?:[A-Za-z]\w*: {_VALUE}|[A-Za-z]\w*)\n")
_NEXT = re.compile(rf"(?P<indent> *)  [A-Za-z]\w*: {_VALUE}\n")

_FEWEST = 4
"""Steps in a run: its first and its last stay, since what stands beside them may be comments."""


def folded(text: str, width: int) -> tuple[str, list[str]]:
    """A document with one item in place of the inner steps of each run, and what was left out, by the item's number.

    Args:
        text: The document.
        width: The columns that a line of canonical style has at most.
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
    """The document with what was left out back in its places, at the depth of the item that stood there.

    Returns:
        None if not each place is there once, on a line of its own: what looked like steps was part of a text.
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
    """Where runs of steps of one depth begin, and their steps as lines."""
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
        # What stands deeper behind the last step belongs to it, so that it is none of them.
        if len(run) >= _FEWEST:
            yield start, run
        number = max(number, start + 1)


def _item(lines: list[str], number: int, width: int) -> list[str] | None:
    """The lines of a step of canonical style; None if there is none."""
    if number >= len(lines) or len(lines[number]) > width or (first := _FIRST.fullmatch(lines[number])) is None:
        return None
    end, indent = number + 1, first["indent"]
    while end < len(lines) and len(lines[end]) <= width:
        more = _NEXT.fullmatch(lines[end])
        if more is None or more["indent"] != indent:
            break
        end += 1
    return lines[number:end]
