"""The names and the calls in an expression."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from nnspec.expressions.syntax import Attribute, Binary, Call, Name, Syntax, children
from nnspec.functions.catalogue import FUNCTIONS

CONSTANTS: Mapping[str, float] = {"pi": 3.141592653589793, "inf": float("inf")}
"""The constants that every expression can use."""


def names_read(tree: Syntax) -> dict[str, Name | Attribute]:
    """The names that an expression reads, with where each is first read; ``encoder.states`` is one name.

    Example:
        >>> from nnspec.expressions.syntax import parse
        >>> list(names_read(parse("sum(x * w, axis=1) + encoder.states", tensors=True)))
        ['x', 'w', 'encoder.states']
        >>> list(names_read(parse("x.shape[1] * states.h.shape[1]", tensors=True)))
        ['x', 'states.h']
    """
    found: dict[str, Name | Attribute] = {}

    def visit(node: Syntax) -> None:
        if isinstance(node, Attribute) and isinstance(node.value, Name) and node.name != "shape":
            found.setdefault(f"{node.value.name}.{node.name}", node)
        elif isinstance(node, Name):
            found.setdefault(node.name, node)
        else:
            left = node
            while isinstance(left, Binary):  # a long sum is nested to the left
                stack.append(left.right)
                left = left.left
            if left is not node:
                visit(left)
                return
            for child in children(node):
                if not (isinstance(node, Call) and (child is node.function or any(child is key for key, _ in node.keywords))):
                    visit(child)

    stack = [tree]
    while stack:
        visit(stack.pop())
    return dict(sorted(found.items(), key=lambda item: item[1].start))


def unquoted(tree: Syntax, known: Container[str]) -> Iterator[tuple[Call, Name]]:
    """Yield the arguments that must be strings but are written as names, other than some known ones.

    Example:
        >>> from nnspec.expressions.syntax import parse
        >>> [name.name for _, name in unquoted(parse("cast(x, float32) * y", tensors=True), ())]
        ['float32']
    """
    stack = [tree]
    while stack:
        node = stack.pop()
        stack.extend(children(node))
        function = FUNCTIONS.get(node.function.name) if isinstance(node, Call) else None
        if isinstance(node, Call) and function is not None:
            texts = {parameter.name for parameter in function.parameters if parameter.kind == "text"}
            given = [*zip((each.name for each in function.parameters), node.arguments, strict=False)]
            given += [(key.name, argument) for key, argument in node.keywords]
            for key, argument in given:
                if key in texts and isinstance(argument, Name) and argument.name not in known:
                    yield node, argument
