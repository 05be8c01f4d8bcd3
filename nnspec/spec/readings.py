"""Likely intended values in place of a value of the wrong type, suggested as the literal to write.

Each way in which people write a value that YAML reads as another type is one reading. The argument's validation selects
among them, so that a suggestion is always valid.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from nnspec.diagnostics import Advice
from nnspec.diagnostics.remedies import InList, Remedy, Rewrite
from nnspec.expressions.params import ExpressionError, parse
from nnspec.spec.dumping import flow
from nnspec.spec.scalars import resolve_plain
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree


class Reading(NamedTuple):
    """One interpretation of a value.

    Attributes:
        value: The interpreted value.
        text: How it is written in YAML.
        is_certain: Whether it is the only interpretation, if it is valid; ``1,000`` is a thousand or one.
    """

    value: Any
    text: str
    is_certain: bool = True


_LONGEST = 60
_WORDS = {
    **dict.fromkeys(("true", "yes", "on", "t", "y"), True),
    **dict.fromkeys(("false", "no", "off", "f", "n"), False),
    **dict.fromkeys(("none", "null", "nil", "~", ""), None),
}
_CHARACTERS = {
    **dict.fromkeys(("tab", "\\t"), "\t"),
    **{name: mark for mark, *names in ((",", "comma"), (";", "semicolon"), (" ", "space"), ("|", "pipe")) for name in names},
}
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_SUM = re.compile(r"[\d\s.+*/()eE-]*\d[.\s]*(?:\*\*|//|[+*/-])[\d\s.+*/()eE-]*\d[\s.)]*")
_PARTS = re.compile(r"[\s,;xX×]+")
_LISTS = (1, 2, 3)


def suggest_literal(tree: Tree, accepts: Callable[[Any], bool]) -> str:
    """Return help with the literal to write instead of a value; empty if no reading is valid.

    Args:
        tree: Value of the wrong type.
        accepts: Returns whether a value is valid in its place.

    Example:
        >>> from nnspec.diagnostics import Span
        >>> suggest_literal(Scalar(10.0, Span.whole("")), lambda value: isinstance(value, int))
        'write `10`'
        >>> suggest_literal(Scalar("1/255", Span.whole("")), lambda value: isinstance(value, float))
        'write `"${1/255}"`'
    """
    valid = [reading for reading in readings(tree) if accepts(reading.value)]
    if not valid:
        return ""
    first = valid[0]
    alike = [reading for reading in valid if isinstance(reading.value, list) == isinstance(first.value, list)]
    is_certain = first.is_certain and len({flow(reading.value) for reading in alike if reading.is_certain}) == 1
    return Advice(_advice(tree, first), rewritten(tree, first.text) if is_certain else None)


def rewritten(tree: Tree, text: str) -> Remedy | None:
    """Return the remedy that writes a value in another way; None if it is not literally in the file."""
    if isinstance(tree, MappingNode):
        return InList(tree.span)
    return Rewrite(tree.span, old=tree.text, new=text) if isinstance(tree, Scalar) and tree.text is not None else None


def _advice(tree: Tree, reading: Reading) -> str:
    if isinstance(tree, MappingNode):
        return f"write it as a list: `{reading.text}`, or with `- ` before it"
    if isinstance(tree, Scalar) and isinstance(tree.value, str):
        if tree.quoted and tree.value == reading.text:
            return f"write it without quotes: `{reading.text}`"
        if isinstance(reading.value, bool) and tree.value in ("yes", "no", "on", "off"):
            return f"write `{reading.text}`: in YAML 1.2 `{tree.value}` is a string"
    return f"write `{reading.text}`"


def is_like_a_number(tree: Tree) -> bool:
    """Return whether a string looks like a number: ``10%``, ``1/10``, ``"1e-3"``."""
    return isinstance(tree, Scalar) and isinstance(tree.value, str) and next(_numbers(tree.value), None) is not None


def readings(tree: Tree) -> Iterator[Reading]:
    """Yield the possible intended values, most likely first."""
    if isinstance(tree, Scalar):
        scalars = list(_scalars(tree))
        yield from scalars
        if isinstance(tree.value, str):
            yield from _lists(tree.value)
        for item in (Reading(tree.value, flow(tree.value)), *scalars):
            if item.value is not None:
                yield from (Reading([item.value] * n, f"[{', '.join([item.text] * n)}]", n == 1) for n in _LISTS)
    elif isinstance(tree, SequenceNode) and len(tree.items) == 1:
        value = tree.items[0].plain()
        yield Reading(value, flow(value))
        yield from _lists(value) if isinstance(value, str) else ()
    elif isinstance(tree, MappingNode):
        value = [tree.plain()]
        text = flow(value)
        yield Reading(value, text if len(text) <= _LONGEST else "[{…}]")


def _scalars(tree: Scalar) -> Iterator[Reading]:
    value = tree.value
    if isinstance(value, str):
        yield from _numbers(value)
        word = value.strip().lower()
        if word in _WORDS:
            yield Reading(_WORDS[word], flow(_WORDS[word]))
        if word in _CHARACTERS or value in _CHARACTERS:
            mark = _CHARACTERS.get(word, _CHARACTERS.get(value))
            yield Reading(mark, flow(mark))
        return
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        yield Reading(int(value), str(int(value)))
    if value in (0, 1) and not isinstance(value, bool):
        yield Reading(bool(value), flow(bool(value)))
    if isinstance(value, int | float):
        text = tree.text if tree.text is not None else flow(value)
        yield Reading(text, f'"{text}"')


def _numbers(text: str) -> Iterator[Reading]:
    """Yield a string as an integer, if it is one, and as a number."""
    if len(text) > _LONGEST:
        return
    text = text.strip().replace("−", "-")
    plain = text
    if _THOUSANDS.fullmatch(text):
        plain = text.replace(",", "")
    elif _DECIMAL_COMMA.fullmatch(text):
        plain = text.replace(",", ".")
    value = resolve_plain(plain)
    if isinstance(value, int | float) and not isinstance(value, bool):
        is_certain = not _THOUSANDS.fullmatch(text)
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            yield Reading(int(value), str(int(value)), is_certain)
        yield Reading(value, plain, is_certain)
    elif text.endswith("%") and isinstance(share := resolve_plain(text[:-1].strip()), int | float):
        yield Reading(round(share / 100, 12), f"{share / 100:.12g}")
    elif (found := _computed(text.replace("^", "**"))) is not None:
        yield found


def _computed(text: str) -> Reading | None:
    """Return an expression that consists of numbers only."""
    if not _SUM.fullmatch(text):
        return None
    try:
        value = parse(text).evaluate({})
    except ExpressionError:
        return None
    return Reading(value, f'"${{{text}}}"') if isinstance(value, int | float) else None


def _lists(text: str) -> Iterator[Reading]:
    """Yield ``3x3``, ``3, 3``, ``(3, 3)`` and ``(3,)`` as lists of numbers; one number may stand for several."""
    if len(text) > _LONGEST:
        return
    parts = [resolve_plain(part) for part in _PARTS.split(text.strip().strip("()[]")) if part]
    if not all(isinstance(part, int | float) and not isinstance(part, bool) for part in parts):
        return
    if len(parts) > 1:
        yield Reading(parts, flow(parts))
    elif parts and text.strip().strip("()[]") != text.strip():
        yield from (Reading(parts * count, flow(parts * count), count == 1) for count in _LISTS)
        yield Reading(parts[0], flow(parts[0]))
