"""Suggestions for common mistakes in arguments of any kind."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nnspec.diagnostics import Advice
from nnspec.diagnostics.remedies import Replace
from nnspec.spec.tree import MappingNode, Scalar, Tree
from nnspec.types import certain, closest


def spaced(word: str, names: Iterable[str]) -> str:
    """Return help for ``units:64``, a key without a space after its colon, or an empty string.

    >>> spaced("unit:64", ["units", "use_bias"])
    'missing space after the colon: write `units: 64`'
    """
    glued, colon, value = word.partition(":")
    names = list(names)
    meant = closest(glued, names) if colon else None
    if meant is None:
        return ""
    is_certain = value and certain(glued, names) == meant
    remedy = Replace(old=word, new=f"{meant}: {value}", title="Add a space after the colon") if is_certain else None
    return Advice(f"missing space after the colon: write `{meant}: {value}`", remedy)


_NAME = re.compile(r"(?:\{\{\s*|%)?([a-z_]\w*)(?:\s*\}\}|%)?")


_TYPES = ("int", "integer", "float", "number", "bool", "boolean", "str", "string")


def suggest_param(tree: Tree) -> str:
    """Return help for a param name where a number is expected: ``width``, ``{width}`` or ``{{ width }}``."""
    name = None
    if isinstance(tree, Scalar) and isinstance(tree.value, str):
        found = _NAME.fullmatch(tree.value.strip())
        name = found[1] if found else None
    elif isinstance(tree, MappingNode) and len(tree) == 1:
        [(key, value)] = tree.items()
        plain = isinstance(value, Scalar) and value.value is None and not value.unknown
        name = str(key.value) if plain and str(key.value).isidentifier() else None
    if name in _TYPES:
        required = ", or declare the param: `{type: int}`" if tree.formula is not None else ""
        return f"`{name}` is a type, not a value; write a number{required}"
    return f"write a number, or `${name}` to use a param with that name" if name else ""
