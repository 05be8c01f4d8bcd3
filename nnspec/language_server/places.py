"""Places in a document's tree: what is at a position, and what kind of list or mapping is around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nnspec.diagnostics import Span
from nnspec.spec.draft import STEP_KEYS
from nnspec.spec.tree import MappingNode, Place, Scalar, SequenceNode, Tree

Keys = tuple[str | int, ...]

_LISTS_OF_STEPS = ("layers", "shortcut")


@dataclass(frozen=True, eq=False)
class At:
    """What is at a position.

    Attributes:
        keys: Path of the value, or of the value whose key is here.
        around: The mappings and lists around it, from the document inward.
        node: The key or the value.
        is_key: Whether it is a key.
    """

    keys: Keys
    around: tuple[Tree, ...]
    node: Tree
    is_key: bool = False

    @property
    def value(self) -> Tree:
        """The value here, or of the key that is here."""
        parent, last = self.around[-1], self.keys[-1]
        if self.is_key and isinstance(parent, MappingNode):
            return parent.get(str(last)) or self.node
        return self.node

    @property
    def step(self) -> Keys | None:
        """The path of the innermost step around it; None if there is none."""
        return next((self.keys[:count] for count in range(len(self.keys), 0, -1) if is_step(self.keys[:count])), None)


def place_at(tree: MappingNode, line: int, column: int) -> At | None:
    """Return what is at a line and column that count from 1; None between values."""
    keys: Keys = ()
    around: tuple[Tree, ...] = ()
    node: Tree = tree
    while isinstance(node, MappingNode | SequenceNode):
        around = (*around, node)
        for key, name, value in children(node):
            if name is not None and covers(name.span, line, column):
                return At((*keys, key), around, name, is_key=True)
            if covers(value.span, line, column):
                keys, node = (*keys, key), value
                break
        else:
            return None
    return At(keys, around, node)


def children(node: Tree | None) -> Iterator[tuple[str | int, Scalar | None, Tree]]:
    """Yield the values in a mapping or a list: the key or index, the node of the key, the value."""
    if isinstance(node, MappingNode):
        for name, value in node.items():
            yield str(name.value), name, value
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.items):
            yield index, None, item


def covers(span: Span, line: int, column: int) -> bool:
    """Return whether a place is within a span or at its end."""
    return (span.line, span.column) <= (line, column) <= (span.end_line, span.end_column)


def is_list_of_steps(keys: Keys) -> bool:
    """Return whether a path is that of a list of steps.

    Example:
        >>> is_list_of_steps(("layers",)), is_list_of_steps(("Parallel", "branches", 0)), is_list_of_steps(("use", 0))
        (True, True, False)
    """
    return bool(keys) and (keys[-1] in _LISTS_OF_STEPS or keys[-2:-1] == ("branches",))


def is_step(keys: Keys) -> bool:
    """Return whether a path is that of a step."""
    return len(keys) > 1 and isinstance(keys[-1], int) and is_list_of_steps(keys[:-1])


def operation_of(step: Tree) -> Scalar | None:
    """Return the operation of a step: its name alone, or the key that is not a step key."""
    if isinstance(step, MappingNode):
        return next((key for key, _ in step.items() if key.value not in STEP_KEYS), None)
    return step if isinstance(step, Scalar) else None


def text_of(keys: Sequence[str | int]) -> str:
    """Return a path as text, as in diagnostics.

    Example:
        >>> text_of(("layers", 3, "Conv2D"))
        'layers[3].Conv2D'
    """
    place: Place | None = None
    for key in keys:
        place = Place(place, key)
    return "" if place is None else str(place)


def inside(tree: Tree, keys: Keys = ()) -> Iterator[tuple[Keys, Tree]]:
    """Yield every value of a tree with its path, from the outside in."""
    stack = [(keys, tree)]
    while stack:
        path, node = stack.pop()
        yield path, node
        stack += reversed([((*path, key), value) for key, _, value in children(node)])
