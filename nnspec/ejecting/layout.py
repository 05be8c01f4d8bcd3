"""Layout of Python expressions: on one line if it fits, else one item a line, as formatters write them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

__all__ = ["WIDTH", "Code", "Group", "Named", "call", "flat", "literal", "statement", "structure", "text"]

WIDTH = 110
"""The most characters of a line."""


@dataclass(frozen=True)
class Group:
    """Items between two texts, such as ``f(`` and ``)``.

    Attributes:
        head: The text before the items.
        items: The items.
        tail: The text after the items, or a group that begins with it, as in ``f(x)(y)``.
        alone: Whether one item is followed by a comma, as in a tuple.
    """

    head: str
    items: tuple[Code, ...]
    tail: str | Group
    alone: bool = False


@dataclass(frozen=True)
class Named:
    """An item with a text before it, such as ``axis=`` or ``"image": ``."""

    name: str
    value: Code


Code: TypeAlias = "str | Group | Named"


def call(
    function: str, arguments: Iterable[Code] = (), named: Mapping[str, Code] | None = None, tail: str | Group = ")"
) -> Group:
    """The code of a call.

    Example:
        >>> flat(call("f", ["x"], {"axis": "1"}))
        'f(x, axis=1)'
    """
    return Group(f"{function}(", (*arguments, *(Named(f"{key}=", value) for key, value in (named or {}).items())), tail)


def literal(value: Any) -> Code:
    """The code of a number, a text, None, or of lists, tuples and dicts of them.

    Raises:
        TypeError: If it is something else.

    Example:
        >>> flat(literal({"a": (1, float("inf"))}))
        '{"a": (1, float("inf"))}'
    """

    def leaf(value: Any) -> Code:
        if isinstance(value, float) and not math.isfinite(value):
            return f'float("{value}")'
        if isinstance(value, str):
            return text(value)
        if value is None or value is Ellipsis or isinstance(value, bool | int | float):
            return "..." if value is Ellipsis else _number(value) if isinstance(value, float) else repr(value)
        if hasattr(value, "item") and not getattr(value, "shape", None):  # a number of NumPy
            return leaf(value.item())
        raise TypeError(f"no literal: {type(value).__name__}")

    return structure(value, leaf)


def _number(value: float) -> str:
    """The shortest text of a number, such as ``-1e9``."""
    short = f"{value:g}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    return short if "e" in short and float(short) == value else repr(value)


def text(value: str) -> str:
    """The literal of a text, in ASCII and double quotes: whatever it contains, it stays one literal on one line."""
    body = ascii(value + '"')[1:-2]  # a text with a double quote is written in single quotes, which escapes those inside
    return '"' + body.replace("\\'", "'").replace('"', '\\"') + '"'


def structure(value: Any, leaf: Any) -> Code:
    """The code of nested lists, tuples, dicts and slices.

    Args:
        value: The value.
        leaf: Returns the code of anything else.
    """
    if isinstance(value, tuple | list):
        head, tail = "()" if isinstance(value, tuple) else "[]"
        return Group(head, tuple(structure(each, leaf) for each in value), tail, alone=isinstance(value, tuple))
    if isinstance(value, dict):
        return Group("{", tuple(Named(f"{flat(literal(k))}: ", structure(each, leaf)) for k, each in value.items()), "}")
    if isinstance(value, slice):
        return call("slice", [structure(each, leaf) for each in (value.start, value.stop, value.step)])
    return leaf(value)  # type: ignore[no-any-return]


def flat(code: Code) -> str:
    """The code on one line."""
    if isinstance(code, str):
        return code
    if isinstance(code, Named):
        return code.name + flat(code.value)
    inside = ", ".join(map(flat, code.items))
    return code.head + inside + ("," if code.alone and len(code.items) == 1 else "") + flat(code.tail)


def statement(before: str, code: Code, indent: int = 4) -> str:
    """A statement, such as ``x = f(y)``, with its indentation and without a newline.

    Args:
        before: The text before the expression.
        code: The expression.
        indent: The number of spaces before it.
    """
    return " " * indent + before + _laid_out(code, indent, indent + len(before))


def _laid_out(code: Code, indent: int, column: int, behind: int = 0) -> str:
    line = flat(code)
    if isinstance(code, str) or column + len(line) + behind <= WIDTH:
        return line
    if isinstance(code, Named):
        return code.name + _laid_out(code.value, indent, column + len(code.name), behind)
    if not code.items and isinstance(code.tail, str):
        return line
    tail = _laid_out(code.tail, indent, indent, behind)
    if isinstance(code.tail, Group) and column + len(head := flat(replace(code, tail=code.tail.head))) <= WIDTH:
        return head + tail.removeprefix(code.tail.head) if "\n" in tail else _broken(code, indent, tail)
    return _broken(code, indent, tail)


def _broken(code: Group, indent: int, tail: str) -> str:
    """A group with one item a line."""
    inner = " " * (indent + 4)
    items = "".join(f"{inner}{_laid_out(item, indent + 4, indent + 4, 1)},\n" for item in code.items)
    return f"{code.head}\n{items}{' ' * indent}{tail}"
