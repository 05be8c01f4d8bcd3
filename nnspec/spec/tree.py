"""A YAML document as a tree in which every value knows its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nnspec.diagnostics import Span

__all__ = ["Formula", "MappingNode", "Place", "Scalar", "SequenceNode", "Tree", "Unknown"]


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
    """How a value was computed.

    Attributes:
        text: What is written in its place: ``${2 * width}``.
        params: What the names in it may stand for there, by name.
    """

    text: str
    params: Mapping[str, Tree]


class Tree:
    """A node of the document: a [`Scalar`][], a [`MappingNode`][] or a [`SequenceNode`][].

    Attributes:
        span: Where it stands in the file.
        place: Where it stands in the document; None for the document itself.
        size: The number of nodes in it, itself counted, aliases expanded.
        dynamic: Whether an expression (``$…``) stands anywhere in it.
        unknown: Whether a value in it is unknown because of an error that has been reported.
        formula: How it was computed; None for what is written as it is.
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
        """Its path, ``layers[3].Conv2D.filters``; empty for the document itself."""
        return "" if self.place is None else str(self.place)

    def __bool__(self) -> bool:
        return True  # an empty list that is there is not the same as none

    def plain(self) -> Any:
        """The ordinary Python value."""
        raise NotImplementedError

    @property
    def kind(self) -> str:
        """What it is, in words for a message."""
        raise NotImplementedError


class Scalar(Tree):
    """A number, a string, true, false or null.

    Attributes:
        value: Its value.
        quoted: Whether it was written in quotes or as a block, so that it is a string whatever it looks like.
        text: The characters between quotes, where they stand in the file as they are; None for a value that was computed.
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

    @property
    def kind(self) -> str:
        match self.value:
            case None:
                return "nothing"
            case bool():
                return f"`{str(self.value).lower()}`"
            case str():
                return f"the text '{self.value if len(self.value) <= 40 else self.value[:37] + '…'}'"
            case _:
                return f"{self.value}"


class Unknown(Scalar):
    """A value that could not be evaluated. The error has been reported; what depends on the value is not checked."""

    __slots__ = ()

    def __init__(self, span: Span, place: Place | None = None) -> None:
        super().__init__(None, span, place)
        self.unknown = True


class MappingNode(Tree):
    """Keys and values, in the order of the file."""

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
        """The value of a key, or None where it is not there."""
        entry = self._entries.get(key)
        return entry[1] if entry else None

    def key(self, key: str) -> Scalar | None:
        """The key itself, for its place."""
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
