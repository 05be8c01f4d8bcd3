"""Conversion of a dict to a [`Tree`][], for documents that are written in Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import PurePath
from typing import Any

from nnspec.diagnostics import NnspecError, Span
from nnspec.spec.limits import Limits
from nnspec.spec.tree import MappingNode, Place, Scalar, SequenceNode, Tree

NAME = "the spec"
"""The name of a document that is a dict, in diagnostics: ``the spec: layers[0].Dense.units``."""


def tree_of(document: Mapping[str, Any], limits: Limits | None = None) -> MappingNode:
    """Convert a document of dicts, lists, strings, numbers, Booleans and None to a tree.

    Strings are those of YAML in quotes: ``"3"`` is no number, and ``"$width"`` is an expression. The location of a value is the
    path of its key, instead of a line.

    Args:
        document: The document.
        limits: Resource limits.

    Raises:
        NnspecError: If a key or a value has another type, or a limit is exceeded; states its path.

    Example:
        >>> tree_of({"name": "net", "layers": [{"Dense": {"units": 3}}]}).plain()
        {'name': 'net', 'layers': [{'Dense': {'units': 3}}]}
    """
    tree = _Converter(limits or Limits()).tree(document, None, 0)
    assert isinstance(tree, MappingNode)
    return tree


class _Converter:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # Diagnostics are ordered, and told apart, by their lines.
        self._lines: Iterator[int] = count(1)

    def tree(self, value: Any, place: Place | None, depth: int) -> Tree:
        span = self._span(place)
        if depth > self._limits.depth:
            raise NnspecError(f"{span}: nested more than {self._limits.depth} levels deep")
        if isinstance(value, Mapping):
            entries = []
            for key, item in value.items():
                name = self._scalar(key, Place(place, _shown(key)), what="a key")
                entries.append((name, self.tree(item, Place(place, str(name.value)), depth + 1)))
            return MappingNode(entries, span, place)
        if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
            return SequenceNode([self.tree(item, Place(place, i), depth + 1) for i, item in enumerate(value)], span, place)
        return self._scalar(value, place, what="a value")

    def _scalar(self, value: Any, place: Place | None, *, what: str) -> Scalar:
        span = self._span(place)
        if isinstance(value, PurePath):
            value = value.as_posix()
        elif type(value).__module__ == "numpy" and callable(item := getattr(value, "item", None)) and not value.shape:
            value = item()  # a number or a Boolean of NumPy
        if value is not None and not isinstance(value, bool | int | float | str):
            help = "use dicts, lists, strings, numbers, True, False and None"
            raise NnspecError(f"{span}: {what} has the unsupported type `{type(value).__name__}`\n  = help: {help}")
        if isinstance(value, str) and len(value) > self._limits.scalar:
            raise NnspecError(f"{span}: a string of {len(value):,} characters; the limit is {self._limits.scalar:,}")
        return Scalar(value, span, place, quoted=isinstance(value, str))

    def _span(self, place: Place | None) -> Span:
        line = next(self._lines)
        if line > 2 * self._limits.nodes:
            raise NnspecError(f"{NAME}: more than {self._limits.nodes:,} values")
        return Span(NAME, line, 1, line, 1, "the document" if place is None else str(place))


def _shown(key: Any) -> str:
    return key if isinstance(key, str) else f"{key!s:.80}"
