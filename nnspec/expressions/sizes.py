"""Symbolic sizes from their text."""

from __future__ import annotations

from collections.abc import Callable

from nnspec.expressions.syntax import Binary, ExpressionError, Literal, Name, Syntax, Unary, parse
from nnspec.types import Dim, symbol

__all__ = ["read_size"]

Size = int | Dim

_BINARY: dict[str, Callable[[Size, Size], Size]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}


def read_size(text: str) -> Size:
    """Read a size from its text, the inverse of ``str``.

    Raises:
        ExpressionError: If the text is no size.
        SizeTooComplex: If it has too many terms, or too large factors.

    Example:
        >>> read_size("2*(T//3) + T % 2")
        2*(T//3) + T % 2
    """
    return _size(parse(text))


def _size(node: Syntax) -> Size:
    match node:
        case Literal() if isinstance(node.value, int):
            return int(node.value)
        case Name():
            return symbol(node.name)
        case Unary(operator="-"):
            return -_size(node.operand)
        case Binary() if node.operator in _BINARY:
            return _BINARY[node.operator](_size(node.left), _size(node.right))
        case Binary(operator="//" | "%"):
            left, right = _size(node.left), _size(node.right)
            if isinstance(right, int) and right > 0:
                return left // right if node.operator == "//" else left - left // right * right
    raise ExpressionError("not a size: use integers, symbols, `+ - * // %`", node.start, node.end)
