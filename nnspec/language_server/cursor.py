"""The place at a cursor in a document that is being written: its path, what is beside it, and what is replaced."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import yaml

from nnspec.language_server.places import Keys, children
from nnspec.language_server.positions import Text
from nnspec.spec.reader import LOADER, read_text
from nnspec.spec.tree import MappingNode, Scalar, Tree

__all__ = ["MARK", "Cursor", "cursor_at"]

MARK = "xCURSORx"
"""Stands for what is written."""
_WORD = re.compile(r"[\w$./-]*$")
_REST = re.compile(r"[\w./-]*")
_LINE = re.compile(r"(?P<dashes>(?:- +)*)(?P<key>(?:\"[^\"]*\"|'[^']*'|[^\s#'\"\[\]{},&*!|>%@-][^\s:#]*) *:(?=\s|$))?")
_ITEM_OR_SECTION = re.compile(r" *- |\w")
_TOKEN = re.compile(r"\"(?:[^\"\\\n]|\\.)*(?P<open>\"|$)|(?<![\w)\]])'[^'\n]*(?:'|$)|(?<!\S)#[^\n]*|[\[\]{}]")
_CLOSING = {"{": "}", "[": "]"}
_MOST_LINES = 500
"""Lines above the cursor in which a bracket or a mapping around it begins."""


@dataclass(frozen=True, eq=False)
class Cursor:
    """A place where something is written next.

    Attributes:
        keys: Path of what is written: of a value or an item; of the mapping, if it is a key.
        what: Whether it is a key of a mapping, the value of a key, or an item of a list.
        around: The document reduced to what is around the cursor: lists have only one item.
        beside: The other entries of the mapping that a key is written in; None for a value or an item.
        line: The line, counted from 1.
        word: The word before the cursor.
        start: Offset of the first character of the word.
        end: Offset behind the word, of which a part may be after the cursor.
        is_flow: Whether a bracket is open.
        quote: The quotation mark that is open; empty if there is none.
        has_value: Whether a colon follows.
    """

    keys: Keys
    what: Literal["key", "value", "item"]
    around: Tree
    beside: MappingNode | None
    line: int
    word: str
    start: int
    end: int
    is_flow: bool
    quote: str = ""
    has_value: bool = False


def cursor_at(text: Text, offset: int) -> Cursor | None:
    """Return the place at an offset; None in a comment, and if what is around it cannot be read.

    Only the lines around the place are read, so that errors elsewhere and the size of the document do not matter.

    Example:
        >>> at = cursor_at(Text("layers:\\n  - Conv2D: {filters: 3, ker"), 37)
        >>> at.keys, at.what, [key.value for key, _ in at.beside.items()], at.word
        (('layers', 0, 'Conv2D'), 'key', ['filters'], 'ker')
    """
    number = text.position(offset).line
    line, begin = text.line(number), text.starts[number]
    word = _WORD.search(line[: offset - begin])[0]  # type: ignore[index]
    end = offset + len(_REST.match(line[offset - begin :])[0])  # type: ignore[index]
    start = offset - len(word)
    brackets, quote, is_comment = _open_brackets(text, number, start)
    if is_comment:
        return None
    first = brackets[0][1] if brackets else number
    own = [text.line(each) for each in range(first, number)]
    before, after = line[: start - begin], line[end - begin :]
    has_value = after.lstrip(" ").startswith(":")
    closing = quote + "".join(_CLOSING[bracket] for bracket, _ in reversed(brackets))
    column = len(_indent(before)) if own == [] else len(_indent(own[0]))
    above, below = _around(text, first, column), _below(text, number, column)
    for written in _attempts(before, after, closing, has_value=has_value, is_flow=bool(brackets)):
        reduced = "\n".join([*above, *own, before + written, *(below if not brackets else [])])
        tree = _read(reduced)
        if tree is None:
            continue
        for keys, what, beside in _marks(tree, ()):
            return Cursor(keys, what, tree, beside, number + 1, word, start, end, bool(brackets), quote, has_value)
    return None


def _attempts(before: str, after: str, closing: str, *, has_value: bool, is_flow: bool) -> Iterator[str]:
    """Yield what may stand at the cursor and behind it, until the document can be read."""
    if has_value and not is_flow:
        yield f"{MARK}{after}"
        yield f"{MARK}: ~"
    if not before.strip(" ") and not is_flow:
        yield f"{MARK}: ~"
    yield f"{MARK}{after}"
    yield f"{MARK}{closing}"
    if has_value:
        yield f"{MARK}: ~{closing}"


def _read(text: str) -> Tree | None:
    try:
        for _ in yaml.parse(text, Loader=LOADER):
            pass
    except yaml.YAMLError:
        return None
    return read_text(text, "", [])


def _marks(node: Tree, keys: Keys) -> Iterator[tuple[Keys, Literal["key", "value", "item"], MappingNode | None]]:
    """Yield where the mark is in a tree."""
    for key, name, value in children(node):
        if name is not None and MARK in str(name.value):
            assert isinstance(node, MappingNode)
            others = [(k, v) for k, v in node.items() if MARK not in str(k.value)]
            yield keys, "key", MappingNode(others, node.span, node.place)
        elif isinstance(value, Scalar):
            if MARK in str(value.value):
                yield (*keys, key), "item" if isinstance(key, int) else "value", None
        else:
            yield from _marks(value, (*keys, key))


def _open_brackets(text: Text, number: int, offset: int) -> tuple[list[tuple[str, int]], str, bool]:
    """Return the brackets that are open at an offset, each with its line; the open quotation mark; whether it is a comment."""
    first = number
    while first > max(0, number - _MOST_LINES) and not _ITEM_OR_SECTION.match(text.line(first)):
        first -= 1
    brackets: list[tuple[str, int]] = []
    for each in range(first, number + 1):
        line = text.line(each)
        part = line if each < number else line[: offset - text.starts[number]]
        for token in _TOKEN.finditer(part):
            found = token[0]
            if found in _CLOSING:
                brackets.append((found, each))
            elif found in ("]", "}"):
                brackets = brackets[:-1]
            elif each == number and token.end() == len(part):
                if found[0] == "#":
                    return brackets, "", True
                if len(found) == 1 or found[-1] != found[0]:
                    return brackets, found[0], False
    return brackets, "", False


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" "))]


def _around(text: Text, number: int, column: int) -> list[str]:
    """Return the lines above a line that are around it: the keys of its own mapping, and those that lead to it.

    Args:
        text: The text.
        number: The line.
        column: Its indentation.
    """
    found: list[str] = []
    own = not text.line(number).lstrip(" ").startswith("- ") and text.line(number).strip(" ") != "-"
    was_item = not own
    for at in range(number - 1, -1, -1):
        line = text.line(at)
        depth = len(_indent(line))
        match = _LINE.match(line, depth)
        assert match is not None
        content = depth + len(match["dashes"])
        is_item = bool(match["dashes"]) or line.strip(" ") == "-"
        if not line.strip() or line.lstrip(" ").startswith("#"):
            continue
        begins = depth < column or (depth == column and was_item and not is_item)
        if begins or (own and depth == column and not is_item and match["key"]):
            kept = line[: match.end()] if match["key"] else line
            if own and match["key"] and content == column:  # an entry of the mapping, whose value does not matter
                kept += " ~"
            found.append(kept)
        if begins:
            own = own and content > column
            column, was_item = depth, is_item
        if column == 0 and not was_item and not own:
            break
    return found[::-1]


def _below(text: Text, number: int, column: int) -> list[str]:
    """Return the keys below a line in the mapping that it is in."""
    found: list[str] = []
    own = _LINE.match(text.line(number), column)
    column += len(own["dashes"]) if own is not None else 0
    for at in range(number + 1, min(len(text.starts), number + _MOST_LINES)):
        line = text.line(at)
        depth = len(_indent(line))
        match = _LINE.match(line, depth)
        if not line.strip() or depth > column or line.lstrip(" ").startswith("#"):
            continue
        if depth < column or match is None or match["dashes"] or not match["key"]:
            break
        found.append(line[: match.end()] + " ~")
    return found
