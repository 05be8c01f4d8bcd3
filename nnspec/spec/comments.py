"""Comments of a YAML text, which the parser discards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from nnspec.spec.reader import LOADER

_BEGINS = re.compile(r"(?:^|(?<=[ \t]))#", re.MULTILINE)
_LINE_END = re.compile(r"[\r\n]")


def comments(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield each comment with the line and column of its ``#``, both starting at 1.

    A ``#`` starts a comment at the beginning of a line or after white space (YAML 1.2.2, section 6.6), except inside quoted
    and block scalars, whose locations come from the parser. Comments after a syntax error are not found. Time is linear in
    the length of the text.

    Example:
        >>> list(comments("a: '# no'  # yes"))
        [(1, 12, '# yes')]
    """
    inside = _scalars(text)
    start, end = next(inside, (len(text), len(text)))
    offset = 0
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        for match in _BEGINS.finditer(line):
            at = offset + match.start()
            while end <= at and end < len(text):
                start, end = next(inside, (len(text), len(text)))
            if at < start:
                yield number, match.start() + 1, line[match.start() :].rstrip()
                break
        offset += len(line)


def _scalars(text: str) -> Iterator[tuple[int, int]]:
    """Yield the range of each quoted and block scalar, without a block's header, which a comment may follow."""
    try:
        for event in yaml.parse(text, Loader=LOADER):
            if isinstance(event, yaml.ScalarEvent) and event.style:
                marks: tuple[Any, Any] = event.start_mark, event.end_mark
                start, end = marks[0].index, marks[1].index
                if event.style in "|>":
                    header = _LINE_END.search(text, start, end)
                    start = header.start() if header else end
                yield start, end
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        yield (mark.index if mark is not None else 0), len(text)
