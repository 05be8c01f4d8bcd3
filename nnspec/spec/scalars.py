"""Plain scalars in YAML 1.2's core schema (YAML 1.2.2, section 10.3), with underscores allowed between digits.

PyYAML follows YAML 1.1, in which ``1e3`` is a string, ``no`` is false and ``012`` is ten.
"""

from __future__ import annotations

import re

_WORDS: dict[str, bool | float | None] = {"": None, "~": None}
_WORDS |= dict.fromkeys(("null", "Null", "NULL"))
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True)
_WORDS |= dict.fromkeys(("false", "False", "FALSE"), False)
_WORDS |= dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan"))
_WORDS |= dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf"))
_WORDS |= dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf"))

_DIGITS = r"[0-9](?:_?[0-9])*"
_INTEGER = re.compile(rf"[-+]?{_DIGITS}")
_PREFIXED = re.compile(r"0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(rf"[-+]?(?:\.{_DIGITS}|{_DIGITS}(?:\.(?:{_DIGITS})?)?)(?:[eE][-+]?[0-9]+)?")

_LONGEST_NUMBER = 400
"""Maximum length of a number; Python's conversion takes quadratic time."""


def resolve_plain(text: str) -> str | int | float | bool | None:
    """Return the value of an unquoted scalar.

    Example:
        >>> [resolve_plain(text) for text in ("1e-3", "no", "012", "62_000", "~", "1.5.2", "0x1F")]
        [0.001, 'no', 12, 62000, None, '1.5.2', 31]
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789" or len(text) > _LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _PREFIXED.fullmatch(text):
        return int(text, 0)
    return text
