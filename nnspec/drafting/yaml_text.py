"""YAML text with comments, in the style of `nnspec fmt`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from nnspec.printable import on_one_line
from nnspec.spec.dumping import flow

_WIDTH = 128
_PARAM = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]*")


def literal(text: str) -> str:
    """Return a text as a spec writes it, so that it is not a param.

    Example:
        >>> literal("$x")
        "${'$x'}"
    """
    return f"${{'{text}'}}" if _PARAM.fullmatch(text) else text


def can_be_written(text: str) -> bool:
    """Whether a spec can contain a text: ``${`` always begins an expression, and readers remove surrounding spaces."""
    return "${" not in text and text == text.strip()


def entry(key: str, value: Any, indent: int = 0, comment: str = "") -> list[str]:
    """Format a key and its value, on one line if it fits; a comment is placed behind it, or else above.

    Example:
        >>> entry("facts", {"columns": ["age", "fare"]}, 2, "two numbers")
        ['  facts: {columns: [age, fare]} # two numbers']
    """
    pad = " " * indent
    line = f"{pad}{flow(key)}: {flow(value)}"
    if len(line) <= _WIDTH or not (isinstance(value, Mapping) or _has_mappings(value)):
        return commented(line, comment)
    lines = [f"{pad}# {on_one_line(comment)}"] if comment else []
    lines.append(f"{pad}{flow(key)}:")
    if isinstance(value, Mapping):
        return lines + [line for name, item in value.items() for line in entry(str(name), item, indent + 2)]
    for item in value:
        inner = entry(*next(iter(item.items())), indent + 4) if isinstance(item, Mapping) else [f"{pad}    {flow(item)}"]
        lines += [f"{pad}  - {inner[0].lstrip()}", *inner[1:]]
    return lines


def _has_mappings(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and any(isinstance(item, Mapping) for item in value)


def commented(line: str, comment: str) -> list[str]:
    """Return a line with a comment behind it, or above it if it does not fit."""
    comment = on_one_line(comment)
    if not comment:
        return [line]
    if len(line) + 3 + len(comment) <= _WIDTH:
        return [f"{line} # {comment}"]
    return [f"{line[: len(line) - len(line.lstrip())]}# {comment}", line]
