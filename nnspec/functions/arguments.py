"""Values of arguments: constants of nested lists, and what is known while compiling."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from nnspec.expressions.syntax import ExpressionError
from nnspec.functions.terms import BOOL, FLOAT, INT, Literal, Term


def constant(items: Sequence[Any], at: tuple[int, int], text: str) -> Term:
    """A constant of nested lists of numbers."""
    shape = _nested_shape(items, at)
    flat = list(_flat(items))
    if any(isinstance(item, Term) and not item.is_number for item in flat):
        written = text[at[0] : at[1]]
        help = f"write `stack({written}, axis=1)` or `concatenate({written}, axis=1)`"
        raise ExpressionError("a list of tensors is no tensor", *at, help=help)
    if not all(isinstance(item, Term) and item.is_static for item in flat):
        raise ExpressionError("a constant consists of numbers that are known while compiling", *at)
    kinds = {item.dtype for item in flat}
    if BOOL in kinds and len(kinds) > 1:
        raise ExpressionError("a list combines bools and numbers", *at, help="write 1 for true and 0 for false")
    dtype = next((kind for kind in (FLOAT, INT, BOOL) if kind in kinds), FLOAT)
    plain = _plain(items)
    return Term(shape, dtype, Literal(plain), at, weak=True)


def _plain(value: Any) -> Any:
    return tuple(_plain(item) for item in value) if isinstance(value, list) else value.value


def _flat(items: Iterable[Any]) -> Iterable[Any]:
    for item in items:
        if isinstance(item, list):
            yield from _flat(item)
        else:
            yield item


def _nested_shape(items: Any, at: tuple[int, int]) -> tuple[int, ...]:
    if not isinstance(items, list):
        return ()
    shapes = {_nested_shape(item, at) for item in items}
    if len(shapes) > 1:
        raise ExpressionError("the lists of a constant differ in length", *at)
    return (len(items), *(shapes.pop() if shapes else ()))


# --- arguments that are no tensors ---------------------------------------------------------------------------------------


def _int(value: Any) -> int:
    if isinstance(value, Term) and isinstance(value.value, int) and not isinstance(value.value, bool):
        return value.value
    raise TypeError("an integer that is known while compiling")


def _axes(value: Any) -> Any:
    return [_int(item) for item in value] if isinstance(value, list) else _int(value)


def _size(value: Any) -> Term:
    if isinstance(value, Term) and value.is_number and value.dtype == INT and value.weak:
        return value
    raise TypeError("an integer or a size, such as `x.shape[1]`")


def _sizes(value: Any) -> tuple[Term, ...]:
    if isinstance(value, list):
        return tuple(map(_size, value))
    raise TypeError("a list of integers or sizes, `[4, x.shape[1]]`")


def _bool(value: Any) -> bool:
    if isinstance(value, Term) and isinstance(value.value, bool):
        return value.value
    raise TypeError("true or false")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise TypeError("a string, in quotes")


def _number(value: Any) -> float:
    if isinstance(value, Term) and value.is_static:
        return value.value  # type: ignore[return-value]
    raise TypeError("a number that is known while compiling")


def _nested_sizes(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_nested_sizes(item) for item in value)
    return _int(value)


READ: Mapping[str, Callable[[Any], Any]] = {
    "axis": _int,
    "axes": _axes,
    "int": _int,
    "ints": _nested_sizes,
    "size": _size,
    "sizes": _sizes,
    "bool": _bool,
    "text": _text,
    "number": _number,
}
