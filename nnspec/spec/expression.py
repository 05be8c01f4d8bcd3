"""Expressions in ``${…}``: parsed by precedence climbing into closures and evaluated within bounds.

Precedence is as in Python, from loosest: ``if else``, ``or``, ``and``, ``not``, comparisons, ``+ -``, ``* / // %``,
unary ``-``, ``**``, indexing. List comprehensions are supported: ``['e' + str(i) for i in range(3) if i != 1]``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

__all__ = ["LONGEST_RESULT", "UNKNOWN", "Expression", "ExpressionError", "UnknownName", "UnknownValue", "parse"]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<string>'[^']*'|\"[^\"]*\")"
    r"|(?P<operator>\*\*|//|==|!=|<=|>=|[-+*/%<>()\[\],]))"
)
_LONGEST = 2000
_DEEPEST = 50
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

Value = Any
_Evaluate = Callable[[Mapping[str, Value]], Value]


class ExpressionError(Exception):
    """An expression that cannot be parsed or evaluated.

    Attributes:
        start: Index of the first invalid character in the expression.
        end: Index after the last one.
    """

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start = start
        self.end = end


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
            raise ExpressionError("too many operations in one expression", 0, self._length) from None


def parse(text: str) -> Expression:
    """Parse an expression.

    Raises:
        ExpressionError: If the text is not an expression.
    """
    return _parse(text)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Expression:
    if len(text) > _LONGEST:
        raise ExpressionError(f"the expression has {len(text):,} characters; the limit is {_LONGEST:,}", 0, len(text))
    parser = _Parser(text)
    evaluate = parser.conditional()
    parser.expect_end()
    return Expression(frozenset(parser.names), parser.loops > 0, len(text), evaluate)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    stop = len(text.rstrip())
    while at < stop:
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise ExpressionError(f"unexpected character `{text[at]}` in an expression", at, at + 1)
        kind = match.lastgroup or ""
        tokens.append(_Token(kind, match[kind], match.start(kind), match.end(kind)))
        at = match.end()
    tokens.append(_Token("end", "", stop, stop + 1))
    return tokens


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


_BINARY: dict[str, Callable[[Any, Any], Any]] = {
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
_LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"<", "<=", ">", ">=", "==", "!="}),
    frozenset({"+", "-"}),
    frozenset({"*", "/", "//", "%"}),
)


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


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "round": _round,
    "len": len,
    "str": _text,
    "range": _range,
}
_WORDS: dict[str, Any] = {"true": True, "false": False, "True": True, "False": False, "null": None, "None": None}
_KEYWORDS = frozenset({"if", "else", "and", "or", "not", "for", "in"})


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0
        self._names: list[set[str]] = [set()]
        self.loops = 0

    @property
    def names(self) -> set[str]:
        """Params that the expression reads."""
        return self._names[0]

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self, *texts: str) -> _Token | None:
        token = self._next
        if token.text in texts and token.kind in ("operator", "name"):
            self._at += 1
            return token
        return None

    def _expect(self, text: str) -> _Token:
        token = self._take(text)
        if token is None:
            raise self._unexpected(f"expected `{text}`")
        return token

    def _unexpected(self, message: str) -> ExpressionError:
        token = self._next
        found = "reached the end of the expression" if token.kind == "end" else f"found `{token.text}`"
        return ExpressionError(f"{message}, {found}", token.start, token.end)

    def expect_end(self) -> None:
        if self._next.kind != "end":
            raise self._unexpected("expected an operator")

    def conditional(self) -> _Evaluate:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ExpressionError(f"nested more than {_DEEPEST} levels deep", self._next.start, self._next.end)
        then = self._or()
        if self._take("if"):
            condition = self._or()
            self._expect("else")
            otherwise = self.conditional()
            inner = then
            then = lambda params: inner(params) if condition(params) else otherwise(params)  # noqa: E731
        self._depth -= 1
        return then

    def _or(self) -> _Evaluate:
        left = self._and()
        while self._take("or"):
            left = _either(left, self._and(), stop_at=True)
        return left

    def _and(self) -> _Evaluate:
        left = self._not()
        while self._take("and"):
            left = _either(left, self._not(), stop_at=False)
        return left

    def _not(self) -> _Evaluate:
        negated = False
        while self._take("not"):
            negated = not negated
        operand = self._binary(0)
        return (lambda params: not operand(params)) if negated else operand

    def _binary(self, level: int) -> _Evaluate:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._next.kind == "operator" and self._next.text in _LEVELS[level]:
            token = self._next
            self._at += 1
            left = _apply(_BINARY[token.text], token, left, self._binary(level + 1))
        return left

    def _unary(self) -> _Evaluate:
        sign = 1
        token = self._next
        while (taken := self._take("-", "+")) is not None:
            sign = -sign if taken.text == "-" else sign
        operand = self._power()
        return _apply(lambda a, _: -a, token, operand, operand) if sign < 0 else operand

    def _power(self) -> _Evaluate:
        base = self._postfix()
        token = self._take("**")
        if token is None:
            return base
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ExpressionError(f"nested more than {_DEEPEST} levels deep", token.start, token.end)
        exponent = self._unary()
        self._depth -= 1
        return _apply(_power, token, base, exponent)

    def _postfix(self) -> _Evaluate:
        value = self._atom()
        while (token := self._take("[")) is not None:
            index = self.conditional()
            self._expect("]")
            value = _apply(_item, token, value, index)
        return value

    def _atom(self) -> _Evaluate:
        token = self._next
        if token.kind == "number":
            self._at += 1
            return _constant(_number(token))
        if token.kind == "string":
            self._at += 1
            return _constant(token.text[1:-1])
        if self._take("("):
            inner = self.conditional()
            self._expect(")")
            return inner
        if self._take("["):
            return self._list(token)
        if token.kind == "name" and token.text not in _KEYWORDS:
            self._at += 1
            if self._take("("):
                return self._call(token)
            if token.text in _WORDS:
                return _constant(_WORDS[token.text])
            self._names[-1].add(token.text)
            return _lookup(token)
        raise self._unexpected("expected a value")

    def _list(self, token: _Token) -> _Evaluate:
        """Parse a list or a list comprehension: ``[item for name in list if condition]``."""
        self._names.append(set())
        items = self._arguments("]", or_loop=True)
        read = self._names.pop()
        if len(items) != 1 or not self._take("for"):
            self._names[-1] |= read
            return _list_of(items, token)
        name = self._next
        if name.kind != "name" or name.text in _KEYWORDS or name.text in _WORDS:
            raise self._unexpected("expected a name after `for`")
        self._at += 1
        self._expect("in")
        values = self._or()
        self._names.append(set())
        condition = self._or() if self._take("if") else None
        read |= self._names.pop()
        if self._next.text in ("for", "if", "else"):
            raise self._unexpected("a list comprehension takes one `for` and then at most one `if`; nest lists for more")
        self._expect("]")
        self.loops += 1
        self._names[-1] |= read - {name.text}
        return _loop(items[0], name, values, condition)

    def _arguments(self, close: str, *, or_loop: bool = False) -> list[_Evaluate]:
        arguments: list[_Evaluate] = []
        while not self._take(close):
            arguments.append(self.conditional())
            if or_loop and len(arguments) == 1 and self._next.text == "for":
                break
            if not self._take(","):
                self._expect(close)
                break
        return arguments

    def _call(self, token: _Token) -> _Evaluate:
        function = _FUNCTIONS.get(token.text)
        if function is None:
            known = ", ".join(f"`{name}`" for name in _FUNCTIONS)
            raise ExpressionError(f"unknown function `{token.text}`; the functions are {known}", token.start, token.end)
        arguments = self._arguments(")")

        def call(params: Mapping[str, Value]) -> Value:
            values = [argument(params) for argument in arguments]
            return _bounded(lambda: function(*values), token, params)

        return call


def _number(token: _Token) -> float:
    text = token.text.replace("_", "")
    value = int(text) if text.isdigit() and len(text) < 30 else float(text)
    if abs(value) > _LARGEST and isinstance(value, int):
        raise ExpressionError("a number greater than 2**63", token.start, token.end)
    return value


def _constant(value: Value) -> _Evaluate:
    return lambda params: value


def _lookup(token: _Token) -> _Evaluate:
    def look(params: Mapping[str, Value]) -> Value:
        try:
            value = params[token.text]
        except KeyError:
            raise UnknownName(token.text, token.start, token.end) from None
        if value is UNKNOWN:
            raise UnknownValue(f"`{token.text}` has no value", token.start, token.end)
        return value

    return look


def _either(left: _Evaluate, right: _Evaluate, *, stop_at: bool) -> _Evaluate:
    def evaluate(params: Mapping[str, Value]) -> Value:
        value = left(params)
        return value if bool(value) is stop_at else right(params)

    return evaluate


def _list_of(items: list[_Evaluate], token: _Token) -> _Evaluate:
    return lambda params: _bounded(lambda: [item(params) for item in items], token, params)


def _loop(item: _Evaluate, name: _Token, values: _Evaluate, condition: _Evaluate | None) -> _Evaluate:
    """Return a list comprehension."""

    def run(params: Mapping[str, Value]) -> Value:
        inner = {_STEPS: [0], **params}
        result: list[Value] = []
        size = 0
        for value in _iterable(values(params)):
            _count(inner, name, 1 + len(inner) // 100)
            inner[name.text] = value
            if condition is None or condition(inner):
                result.append(item(inner))
                size += max(1, _size(result[-1]))
            if size > LONGEST_RESULT:
                raise ValueError(f"the result is longer than {LONGEST_RESULT:,}")
        return result

    return lambda params: _bounded(lambda: run(params), name, params)


def _count(params: Mapping[str, Value], token: _Token, steps: int) -> None:
    """Count the steps of a loop, up to the limit."""
    taken = params.get(_STEPS)
    if taken is not None:
        taken[0] += steps
        if taken[0] > MOST_STEPS:
            reason = f"the list comprehensions of this document exceed the limit of {MOST_STEPS:,} steps"
            raise ExpressionError(reason, token.start, token.end)


def _iterable(value: Value) -> list[Value]:
    if not isinstance(value, list):
        raise TypeError("`for` iterates over a list, such as `range(3)`")
    return value


def _item(value: Value, index: Value) -> Value:
    if not isinstance(value, list | str):
        raise TypeError("only a list can be indexed")
    return value[index]


def _apply(operation: Callable[[Any, Any], Any], token: _Token, left: _Evaluate, right: _Evaluate) -> _Evaluate:
    return lambda params: _bounded(lambda: operation(left(params), right(params)), token, params)


def _bounded(compute: Callable[[], Value], token: _Token, params: Mapping[str, Value]) -> Value:
    def fail(message: str) -> ExpressionError:
        return ExpressionError(message, token.start, token.end)

    try:
        value = compute()
    except ZeroDivisionError:
        raise fail("division by zero") from None
    except IndexError:
        raise fail("index out of range") from None
    except OverflowError:
        raise fail("a number greater than 2**63") from None
    except (TypeError, ValueError) as error:
        raise fail(f"`{token.text}` cannot be evaluated: {error}") from None
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise fail("a number greater than 2**63")
    if isinstance(value, complex):
        raise fail("square root of a negative number")
    size = _size(value) if isinstance(value, str | list) else 0
    _count(params, token, 1 + size // 100)
    if size > LONGEST_RESULT:
        raise fail(f"the result is longer than {LONGEST_RESULT:,}")
    return value


def _size(value: Value) -> int:
    """Count characters and elements, up to the limit; each element counts at least one."""
    if isinstance(value, str):
        return len(value)
    size = 0
    for item in value if isinstance(value, list) else ():
        size += max(1, _size(item))
        if size > LONGEST_RESULT:
            break
    return size
