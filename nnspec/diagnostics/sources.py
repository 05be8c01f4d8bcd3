"""Texts of files, from the disk or from memory, and positions in them by line and column."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from nnspec.diagnostics.span import Span

_in_memory: ContextVar[Mapping[Path, str]] = ContextVar("in_memory", default=MappingProxyType({}))


@contextmanager
def in_memory(texts: Mapping[Path, str]) -> Iterator[None]:
    """Use texts in place of files of the same path, which need not exist: an editor's buffers, standard input."""
    token = _in_memory.set({**_in_memory.get(), **{path.resolve(): text for path, text in texts.items()}})
    try:
        yield
    finally:
        _in_memory.reset(token)


def text_in_memory(file: str | Path) -> str | None:
    """Return the text that is used in place of a file, or None if there is none."""
    texts = _in_memory.get()
    return texts.get(Path(file).resolve()) if texts else None


def source_text(file: str | Path) -> str | None:
    """Return the text of a file with its own line breaks, or None if it cannot be read."""
    if (text := text_in_memory(file)) is not None:
        return text
    try:
        return Path(file).read_bytes().decode("utf-8-sig") if Path(file).is_file() else None
    except (OSError, ValueError):
        return None


_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""Line breaks as YAML 1.1's parser counts them."""


_AFTER = re.compile(r"(?:\s|(?<=\s)#[^\n]*)*")
_COMMA = re.compile(r"[ \t]*,[ \t]*")


class SourceText:
    """The text of a file, with positions by line and column.

    Args:
        text: Whole text, without a byte order mark.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *(found.end() for found in _BREAK.finditer(self.text))]

    def offset(self, line: int, column: int) -> int | None:
        """Return the index of a position, or None if it is outside the text."""
        if not 0 < line <= len(self._starts):
            return None
        start = self._starts[line - 1]
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        return start + column - 1 if 0 <= column - 1 <= end - start else None

    def range(self, span: Span) -> tuple[int, int] | None:
        """Return the first and last index of a span, or None if it is outside the text."""
        start, end = self.offset(span.line, span.column), self.offset(span.end_line, span.end_column)
        return None if start is None or end is None or end < start else (start, end)

    @cached_property
    def newline(self) -> str:
        """The line break of the file."""
        return "\r\n" if "\r\n" in self.text else "\n"

    def line_end(self, index: int) -> int:
        """Return the index of the next line break, or of the end."""
        found = _BREAK.search(self.text, index)
        return found.start() if found else len(self.text)

    def is_in_braces(self, end: int) -> bool:
        """Whether a comma or a closing bracket follows an index, apart from white space and comments."""
        found = _AFTER.match(self.text, end)
        return found is not None and self.text[found.end() : found.end() + 1] in (",", "}", "]")

    def entry(self, span: Span, *, is_item: bool = False) -> tuple[int, int] | None:
        """Return the range to delete with an entry of a mapping, or an item of a list: its comma in braces, or its lines."""
        found = self.range(span)
        if found is None:
            return None
        start, end = found
        if self.is_in_braces(end):
            if (after := _COMMA.match(self.text, end)) is not None:
                return start, after.end()
            before = start
            while before > 0 and self.text[before - 1].isspace():
                before -= 1
            return (before - 1 if self.text[before - 1 : before] == "," else start), end
        line = self._starts[span.line - 1]
        following = self._starts[span.end_line] if span.end_line < len(self._starts) else len(self.text)
        lead = self.text[line:start]
        if lead.strip(" ") == ("-" if is_item else ""):
            return line, following
        indent = " " * len(lead)
        if lead.strip(" ") == "-" and self.text.startswith(indent, following) and following + len(indent) < len(self.text):
            is_next = self.text[following + len(indent)] not in " -#\r\n"
            return (start, following + len(indent)) if is_next else None  # the key below becomes the first one of the item
        return None

    def span(self, file: str, start: int, end: int) -> Span:
        """Return the span of some characters."""
        first, last = bisect_right(self._starts, start), bisect_right(self._starts, end)
        return Span(file, first, start - self._starts[first - 1] + 1, last, end - self._starts[last - 1] + 1)
