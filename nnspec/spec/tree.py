"""A YAML document as a tree whose values keep their source locations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nnspec.diagnostics import Span


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """A path in the document, as the user wrote it."""

    parent: Place | None
    key: str | int

    def __str__(self) -> str:
        keys: list[str | int] = []
        place: Place | None = self
        while place is not None:
            keys.append(place.key)
            place = place.parent
        text = ""
        for key in reversed(keys):
            text += f"[{key}]" if isinstance(key, int) else (f".{key}" if text else key)
        return text


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """The expression from which a value was computed.

    Attributes:
        text: Expression as written: ``${2 * width}``.
        params: Possible values of the names in it.
    """

    text: str
    params: Mapping[str, Tree]


class Tree:
    """A node of the document: a [`Scalar`][], a [`MappingNode`][] or a [`SequenceNode`][].

    Attributes:
        span: Location in the file.
        place: Path in the document; None for the document itself.
        size: Number of nodes in it, including itself, with aliases expanded.
        dynamic: Whether it contains an expression (``$…``).
        unknown: Whether it contains a value that is unknown because of an error that has been reported.
        formula: Expression from which it was computed; None for a literal.
    """

    __slots__ = ("dynamic", "formula", "place", "size", "span", "unknown")

    span: Span
    place: Place | None
    size: int
    dynamic: bool
    unknown: bool
    formula: Formula | None

    def __init__(self, span: Span, place: Place | None, size: int, dynamic: bool, unknown: bool = False) -> None:
        self.span = span
        self.place = place
        self.size = size
        self.dynamic = dynamic
        self.unknown = unknown
        self.formula = None

    @property
    def path(self) -> str:
        """Path as text, ``layers[3].Conv2D.filters``; empty for the document itself."""
        return "" if self.place is None else str(self.place)

    def __bool__(self) -> bool:
        return True  # an empty list differs from a missing one

    def plain(self) -> Any:
        """Return the plain Python value."""
        raise NotImplementedError

    @property
    def kind(self) -> str:
        """Description of the node for messages."""
        raise NotImplementedError


class Scalar(Tree):
    """A number, a string, true, false or null.

    Attributes:
        value: Value of the scalar.
        quoted: Whether it was quoted or written as a block, and thus is always a string.
        text: Characters between the quotes, if verbatim in the file; None for a computed value.
    """

    __slots__ = ("quoted", "text", "value")

    def __init__(
        self,
        value: str | int | float | bool | None,
        span: Span,
        place: Place | None = None,
        *,
        quoted: bool = False,
        text: str | None = None,
    ) -> None:
        super().__init__(span, place, 1, isinstance(value, str) and "$" in value)
        self.value = value
        self.quoted = quoted
        self.text = text

    def plain(self) -> Any:
        return self.value

    def part(self, start: int, end: int) -> Span:
        """Return the span of some of its characters, or of all of it if its text is not verbatim in the file."""
        span, quotes = self.span, 1 if self.quoted else 0
        is_verbatim = self.text is not None and span.line == span.end_line
        if not is_verbatim or span.end_column - span.column != len(self.text or "") + 2 * quotes:
            return span
        return span.within(start + quotes, end + quotes)

    @property
    def kind(self) -> str:
        match self.value:
            case None:
                return "nothing"
            case bool():
                return f"`{str(self.value).lower()}`"
            case str():
                return f"the string '{self.value if len(self.value) <= 40 else self.value[:37] + '…'}'"
            case _:
                return f"{self.value}"


def literal_source(tree: Tree) -> Tree:
    """Return the value in the file from which a value comes through params alone (``$width``); else, the value itself.

    Args:
        tree: A value, possibly computed by an expression.
    """
    found: Tree | None = tree
    for _ in range(_MOST_STEPS):
        if not isinstance(found, Scalar) or found.formula is None:
            break
        name = _PARAM.fullmatch(found.formula.text)
        found = found.formula.params.get(name[1] or name[2]) if name else None
    return found if isinstance(found, Scalar) and found.formula is None and found.text is not None else tree


_PARAM = re.compile(r"\$(\w+)|\$\{\s*(\w+)\s*\}")
_MOST_STEPS = 50


class Unknown(Scalar):
    """A value that could not be evaluated. The error has been reported; dependent values are not checked."""

    __slots__ = ()

    def __init__(self, span: Span, place: Place | None = None) -> None:
        super().__init__(None, span, place)
        self.unknown = True


class Resolved(Tree):
    """The arguments of a use of a definition of the document, resolved before the arguments around it are checked.

    Attributes:
        name: The name of the definition.
        value: The object that they stand for.
        arguments: The arguments as written; None if there are none.
    """

    __slots__ = ("arguments", "name", "value")

    def __init__(self, name: str, value: Any, arguments: Tree | None, span: Span, place: Place | None = None) -> None:
        super().__init__(span, place, 1, False, arguments is not None and arguments.unknown)
        self.name = name
        self.value = value
        self.arguments = arguments

    def plain(self) -> Any:
        return self.value

    @property
    def kind(self) -> str:
        return "a block" if self.arguments is None else self.arguments.kind


class MappingNode(Tree):
    """A mapping in file order."""

    __slots__ = ("_entries",)

    def __init__(self, entries: list[tuple[Scalar, Tree]], span: Span, place: Place | None = None) -> None:
        super().__init__(
            span,
            place,
            1 + sum(1 + value.size for _, value in entries),
            any(value.dynamic for _, value in entries),
            any(value.unknown for _, value in entries),
        )
        self._entries = {key.value: (key, value) for key, value in entries}

    def items(self) -> Iterator[tuple[Scalar, Tree]]:
        return iter(self._entries.values())

    def get(self, key: str) -> Tree | None:
        """Return the value of a key, or None if it is missing."""
        entry = self._entries.get(key)
        return entry[1] if entry else None

    def key(self, key: str) -> Scalar | None:
        """Return the key's own node, for its location."""
        entry = self._entries.get(key)
        return entry[0] if entry else None

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def plain(self) -> dict[Any, Any]:
        return {key: value.plain() for key, (_, value) in self._entries.items()}

    @property
    def kind(self) -> str:
        return "a mapping"


class SequenceNode(Tree):
    """A list."""

    __slots__ = ("items",)

    def __init__(self, items: list[Tree], span: Span, place: Place | None = None) -> None:
        dynamic, unknown = any(item.dynamic for item in items), any(item.unknown for item in items)
        super().__init__(span, place, 1 + sum(item.size for item in items), dynamic, unknown)
        self.items = tuple(items)

    def plain(self) -> list[Any]:
        return [item.plain() for item in self.items]

    @property
    def kind(self) -> str:
        return "a list"
