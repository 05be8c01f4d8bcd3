"""Expressions over params, ``${…}``: compiled into closures and evaluated within bounds."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from nnspec.expressions import syntax
from nnspec.expressions.syntax import (
    Binary,
    Call,
    Conditional,
    ExpressionError,
    Index,
    List,
    Literal,
    Logical,
    Loop,
    Name,
    Slice,
    Syntax,
    Unary,
)

__all__ = [
    "BINARY",
    "FUNCTIONS",
    "LONGEST_RESULT",
    "UNKNOWN",
    "Expression",
    "ExpressionError",
    "UnknownName",
    "UnknownValue",
    "parse",
]

_LARGEST = 2**63
_MOST_DIGITS = 300
LONGEST_RESULT = 10_000
"""Maximum number of characters and elements in the result of an expression, including nested lists."""

LONGEST_RANGE = 10_000
"""Maximum length of a `range`."""
MOST_STEPS = 500_000
"""Maximum steps of all list comprehensions of a document: an iteration, an operation and 100 result elements count one each."""

UNKNOWN: Any = type("Unknown", (), {"__repr__": lambda _: "unknown"})()
"""Value of a param whose expression has an error, which has been reported."""

_STEPS = "(steps)"
_TOO_MANY = "too many operations in one expression"

Value = Any
_Evaluate = Callable[[Mapping[str, Value]], Value]
_At = tuple[str, int, int]
"""The text and the position of an operator or function, for errors."""


class UnknownName(ExpressionError):
    """A name that is not a param."""

    def __init__(self, name: str, start: int, end: int) -> None:
        super().__init__(f"undefined param `{name}`", start, end)
        self.name = name


class UnknownValue(ExpressionError):
    """The expression depends on a param whose value is unknown because of an error that has been reported."""


@dataclass(frozen=True)
class Expression:
    """A parsed expression.

    Attributes:
        names: Params it uses.
        computes_lists: Whether it contains a list comprehension.
    """

    names: frozenset[str]
    computes_lists: bool
    _length: int
    _evaluate: _Evaluate

    def evaluate(self, params: Mapping[str, Value], steps: list[int] | None = None) -> Value:
        """Evaluate the expression.

        Args:
            params: Values of names.
            steps: Steps taken by list comprehensions so far, as a list of one number that is updated; None for no limit.

        Raises:
            ExpressionError: If it cannot be evaluated: an unknown name, a division by zero, a number greater than 2**63.

        Example:
            >>> parse("width * 2 ** (stage + 1)").evaluate({"width": 16, "stage": 1})
            64
        """
        try:
            return self._evaluate({**params, _STEPS: steps} if self.computes_lists and steps is not None else params)
        except RecursionError:
            raise ExpressionError(_TOO_MANY, 0, self._length) from None


def parse(text: str) -> Expression:
    """Parse an expression.

    Raises:
        ExpressionError: If the text is not an expression.
    """
    return _parse(text)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Expression:
    tree = syntax.parse(text)
    loops: list[Loop] = []
    try:
        evaluate = _compile(tree, loops)
        return Expression(frozenset(_names(tree)), bool(loops), len(text), evaluate)
    except RecursionError:
        raise ExpressionError(_TOO_MANY, 0, len(text)) from None


def _power(a: Any, b: Any) -> Any:
    # Check the size of the result before computing it.
    if isinstance(a, int) and isinstance(b, int) and b > 0 and abs(a) > 1 and b * abs(a).bit_length() > 200:
        raise OverflowError
    return a**b


def _modulo(a: Any, b: Any) -> Any:
    if isinstance(a, str):  # `%` would format the string to any width
        raise TypeError("`%` takes numbers only")
    return a % b


def _multiply(a: Any, b: Any) -> Any:
    if not isinstance(a, int | float) or not isinstance(b, int | float):
        raise TypeError("`*` takes numbers only")
    return a * b


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": _multiply,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": _modulo,
    "**": _power,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def _text(*values: Any) -> str:
    [value] = values
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise TypeError("`str` takes a number, a string or a boolean")
    return str(value)


def _range(*bounds: Any) -> list[int]:
    if not 1 <= len(bounds) <= 3 or not all(isinstance(bound, int) and not isinstance(bound, bool) for bound in bounds):
        raise TypeError("`range` takes one to three integers")
    numbers = range(*bounds)
    if len(numbers) > LONGEST_RANGE:
        raise ValueError(f"a range of length {len(numbers):,}; the limit is {LONGEST_RANGE:,}")
    return list(numbers)


def _round(value: Any, digits: Any = None) -> Any:
    if digits is not None and abs(digits) > _MOST_DIGITS:  # would compute a huge power of ten
        raise ValueError(f"`round` takes at most {_MOST_DIGITS} digits")
    return round(value, digits)


def _sum(values: Any) -> Any:
    if not isinstance(values, list) or not all(isinstance(value, int | float) for value in values):
        raise TypeError("`sum` takes a list of numbers")
    return sum(values)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "sum": _sum,
    "abs": abs,
    "round": _round,
    "len": len,
    "str": _text,
    "range": _range,
}


def _compile(node: Syntax, loops: list[Loop]) -> _Evaluate:
    """Turn a tree into a closure; the loops in it are appended to a list."""

    def compiled(*nodes: Syntax) -> list[_Evaluate]:
        return [_compile(each, loops) for each in nodes]

    match node:
        case Literal():
            value = node.value
            return lambda params: value
        case Name():
            return _lookup(node)
        case List():
            items = compiled(*node.items)
            return lambda params: _bounded(lambda: [item(params) for item in items], ("[", node.start, node.start + 1), params)
        case Loop():
            loops.append(node)
            item, values = compiled(node.item, node.values)
            return _loop(item, node.name, values, None if node.condition is None else _compile(node.condition, loops))
        case Call():
            return _call(node.function, compiled(*node.arguments))
        case Index():
            value_, index = compiled(node.value, node.items[0])
            return _apply(_item, ("[", *node.at), value_, index)
        case Slice():
            nothing = Literal(node.start, node.end, None)
            bounds = compiled(*(bound or nothing for bound in (node.first, node.stop, node.step)))
            return lambda params: slice(*(bound(params) for bound in bounds))
        case Unary(operator="not"):
            operand = _compile(node.operand, loops)
            return lambda params: not operand(params)
        case Unary():
            operand = _compile(node.operand, loops)
            return _apply(lambda a, _: -a, (node.operator, *node.at), operand, operand)
        case Binary():
            left, right = compiled(node.left, node.right)
            return _apply(BINARY[node.operator], (node.operator, *node.at), left, right)
        case Logical():
            left, right = compiled(node.left, node.right)
            return _either(left, right, stop_at=node.operator == "or")
        case Conditional():
            condition, then, otherwise = compiled(node.condition, node.then, node.otherwise)
            return lambda params: then(params) if condition(params) else otherwise(params)
    raise AssertionError(node)


def _names(node: Syntax, bound: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the params that an expression reads."""
    if isinstance(node, Name):
        if node.name not in bound:
            yield node.name
    elif isinstance(node, Loop):
        yield from _names(node.values, bound)
        for inner in (node.item, node.condition):
            if inner is not None:
                yield from _names(inner, bound | {node.name.name})
    else:
        for child in syntax.children(node):
            if isinstance(node, Call) and child is node.function:
                continue
            yield from _names(child, bound)


def _call(name: Name, arguments: list[_Evaluate]) -> _Evaluate:
    function = FUNCTIONS.get(name.name)
    if function is None:
        known = ", ".join(f"`{each}`" for each in FUNCTIONS)
        raise ExpressionError(f"unknown function `{name.name}`; the functions are {known}", name.start, name.end)

    def call(params: Mapping[str, Value]) -> Value:
        values = [argument(params) for argument in arguments]
        return _bounded(lambda: function(*values), (name.name, name.start, name.end), params)

    return call


def _lookup(node: Name) -> _Evaluate:
    def look(params: Mapping[str, Value]) -> Value:
        try:
            value = params[node.name]
        except KeyError:
            raise UnknownName(node.name, node.start, node.end) from None
        if value is UNKNOWN:
            raise UnknownValue(f"`{node.name}` has no value", node.start, node.end)
        return value

    return look


def _either(left: _Evaluate, right: _Evaluate, *, stop_at: bool) -> _Evaluate:
    def evaluate(params: Mapping[str, Value]) -> Value:
        value = left(params)
        return value if bool(value) is stop_at else right(params)

    return evaluate


def _loop(item: _Evaluate, name: Name, values: _Evaluate, condition: _Evaluate | None) -> _Evaluate:
    """Return a list comprehension."""
    at = name.name, name.start, name.end

    def run(params: Mapping[str, Value]) -> Value:
        inner = {_STEPS: [0], **params}
        result: list[Value] = []
        size = 0
        for value in _iterable(values(params)):
            _count(inner, at, 1 + len(inner) // 100)
            inner[name.name] = value
            if condition is None or condition(inner):
                result.append(item(inner))
                size += max(1, _size(result[-1]))
            if size > LONGEST_RESULT:
                raise ValueError(f"the result is longer than {LONGEST_RESULT:,}")
        return result

    return lambda params: _bounded(lambda: run(params), at, params)


def _count(params: Mapping[str, Value], at: _At, steps: int) -> None:
    """Count the steps of a loop, up to the limit."""
    taken = params.get(_STEPS)
    if taken is not None:
        taken[0] += steps
        if taken[0] > MOST_STEPS:
            reason = f"the list comprehensions of this document exceed the limit of {MOST_STEPS:,} steps"
            raise ExpressionError(reason, *at[1:])


def _iterable(value: Value) -> list[Value]:
    if not isinstance(value, list):
        raise TypeError("`for` iterates over a list, such as `range(3)`")
    return value


def _item(value: Value, index: Value) -> Value:
    if not isinstance(value, list | str):
        raise TypeError("only a list can be indexed")
    return value[index]


def _apply(operation: Callable[[Any, Any], Any], at: _At, left: _Evaluate, right: _Evaluate) -> _Evaluate:
    return lambda params: _bounded(lambda: operation(left(params), right(params)), at, params)


def _bounded(compute: Callable[[], Value], at: _At, params: Mapping[str, Value]) -> Value:
    def fail(message: str) -> ExpressionError:
        return ExpressionError(message, *at[1:])

    try:
        value = compute()
    except ZeroDivisionError:
        raise fail("division by zero") from None
    except IndexError:
        raise fail("index out of range") from None
    except OverflowError:
        raise fail("a number greater than 2**63") from None
    except (TypeError, ValueError) as error:
        raise fail(f"`{at[0]}` cannot be evaluated: {error}") from None
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise fail("a number greater than 2**63")
    if isinstance(value, complex):
        raise fail("square root of a negative number")
    size = _size(value) if isinstance(value, str | list) else 0
    _count(params, at, 1 + size // 100)
    if size > LONGEST_RESULT:
        raise fail(f"the result is longer than {LONGEST_RESULT:,}")
    return value


def _size(value: Value) -> int:
    """Count characters and elements, up to the limit; each element counts at least one."""
    if isinstance(value, str):
        return len(value)
    if not isinstance(value, list):
        return 0
    size = len(value)
    for item in value:
        if isinstance(item, (str, list)):
            size += max(1, _size(item)) - 1
            if size > LONGEST_RESULT:
                break
    return size
