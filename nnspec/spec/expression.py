"""The expressions of ``${…}``: read by precedence climbing into small closures, and evaluated within bounds.

Precedence, loosest first, as in Python: ``if else``, ``or``, ``and``, ``not``, comparisons, ``+ -``, ``* / // %``,
unary ``-``, ``**``, indexing.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

__all__ = ["LONGEST_RESULT", "Expression", "ExpressionError", "UnknownName", "parse"]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<string>'[^']*'|\"[^\"]*\")"
    r"|(?P<operator>\*\*|//|==|!=|<=|>=|[-+*/%<>()\[\],]))"
)
_LONGEST = 2000
_DEEPEST = 50
_LARGEST = 2**63
LONGEST_RESULT = 10_000
"""Characters and elements of what an expression may give, lists in lists counted through."""

Value = Any
_Evaluate = Callable[[Mapping[str, Value]], Value]


class ExpressionError(Exception):
    """An expression that cannot be read or has no value.

    Attributes:
        start: The first character at fault, from the expression's beginning.
        end: The first one behind it.
    """

    def __init__(self, message: str, start: int, end: int) -> None:
        super().__init__(message)
        self.start = start
        self.end = end


class UnknownName(ExpressionError):
    """A name that is no param."""

    def __init__(self, name: str, start: int, end: int) -> None:
        super().__init__(f"there is no param `{name}` here", start, end)
        self.name = name


@dataclass(frozen=True)
class Expression:
    """An expression that was read.

    Attributes:
        names: The params it uses.
    """

    names: frozenset[str]
    _evaluate: _Evaluate

    def evaluate(self, params: Mapping[str, Value]) -> Value:
        """Its value.

        Raises:
            ExpressionError: Where it has none: an unknown name, a division by zero, a number past 2**63.

        Example:
            >>> parse("width * 2 ** (stage + 1)").evaluate({"width": 16, "stage": 1})
            64
        """
        return self._evaluate(params)


def parse(text: str) -> Expression:
    """Reads an expression.

    Raises:
        ExpressionError: Where it is none.
    """
    return _parse(text)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Expression:
    if len(text) > _LONGEST:
        raise ExpressionError(f"an expression of {len(text):,} characters; {_LONGEST:,} is the limit", 0, len(text))
    parser = _Parser(text)
    evaluate = parser.conditional()
    parser.expect_end()
    return Expression(frozenset(parser.names), evaluate)


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
            raise ExpressionError(f"`{text[at]}` has no meaning in an expression", at, at + 1)
        kind = match.lastgroup or ""
        tokens.append(_Token(kind, match[kind], match.start(kind), match.end(kind)))
        at = match.end()
    tokens.append(_Token("end", "", stop, stop + 1))
    return tokens


def _power(a: Any, b: Any) -> Any:
    # The size of the result is known before it is computed.
    if isinstance(a, int) and isinstance(b, int) and b > 0 and abs(a) > 1 and b * abs(a).bit_length() > 200:
        raise OverflowError
    return a**b


def _modulo(a: Any, b: Any) -> Any:
    if isinstance(a, str):  # it would format the text, to any width
        raise TypeError("only numbers have a remainder")
    return a % b


def _multiply(a: Any, b: Any) -> Any:
    if not isinstance(a, int | float) or not isinstance(b, int | float):
        raise TypeError("only numbers can be multiplied")
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
_FUNCTIONS: dict[str, Callable[..., Any]] = {"min": min, "max": max, "abs": abs, "round": round, "len": len}
_WORDS: dict[str, Any] = {"true": True, "false": False, "True": True, "False": False, "null": None, "None": None}
_KEYWORDS = frozenset({"if", "else", "and", "or", "not"})


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0
        self.names: set[str] = set()

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
            raise self._unexpected(f"`{text}` is missing")
        return token

    def _unexpected(self, message: str) -> ExpressionError:
        token = self._next
        found = "the expression ends" if token.kind == "end" else f"`{token.text}` stands there"
        return ExpressionError(f"{message}: {found}", token.start, token.end)

    def expect_end(self) -> None:
        if self._next.kind != "end":
            raise self._unexpected("an operator is missing")

    def conditional(self) -> _Evaluate:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ExpressionError(f"nested over {_DEEPEST} deep", self._next.start, self._next.end)
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
            raise ExpressionError(f"nested over {_DEEPEST} deep", token.start, token.end)
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
            return _list_of(self._arguments("]"), token)
        if token.kind == "name" and token.text not in _KEYWORDS:
            self._at += 1
            if self._take("("):
                return self._call(token)
            if token.text in _WORDS:
                return _constant(_WORDS[token.text])
            self.names.add(token.text)
            return _lookup(token)
        raise self._unexpected("a value is missing")

    def _arguments(self, close: str) -> list[_Evaluate]:
        arguments: list[_Evaluate] = []
        while not self._take(close):
            arguments.append(self.conditional())
            if not self._take(","):
                self._expect(close)
                break
        return arguments

    def _call(self, token: _Token) -> _Evaluate:
        function = _FUNCTIONS.get(token.text)
        if function is None:
            raise ExpressionError(f"there is no function `{token.text}`: min, max, abs, round and len", token.start, token.end)
        arguments = self._arguments(")")

        def call(params: Mapping[str, Value]) -> Value:
            values = [argument(params) for argument in arguments]
            return _bounded(lambda: function(*values), token)

        return call


def _number(token: _Token) -> float:
    text = token.text.replace("_", "")
    value = int(text) if text.isdigit() and len(text) < 30 else float(text)
    if abs(value) > _LARGEST and isinstance(value, int):
        raise ExpressionError("a number past 2**63", token.start, token.end)
    return value


def _constant(value: Value) -> _Evaluate:
    return lambda params: value


def _lookup(token: _Token) -> _Evaluate:
    def look(params: Mapping[str, Value]) -> Value:
        try:
            return params[token.text]
        except KeyError:
            raise UnknownName(token.text, token.start, token.end) from None

    return look


def _either(left: _Evaluate, right: _Evaluate, *, stop_at: bool) -> _Evaluate:
    def evaluate(params: Mapping[str, Value]) -> Value:
        value = left(params)
        return value if bool(value) is stop_at else right(params)

    return evaluate


def _list_of(items: list[_Evaluate], token: _Token) -> _Evaluate:
    return lambda params: _bounded(lambda: [item(params) for item in items], token)


def _item(value: Value, index: Value) -> Value:
    if not isinstance(value, list | str):
        raise TypeError("only a list can be indexed")
    return value[index]


def _apply(operation: Callable[[Any, Any], Any], token: _Token, left: _Evaluate, right: _Evaluate) -> _Evaluate:
    return lambda params: _bounded(lambda: operation(left(params), right(params)), token)


def _bounded(compute: Callable[[], Value], token: _Token) -> Value:
    def fail(message: str) -> ExpressionError:
        return ExpressionError(message, token.start, token.end)

    try:
        value = compute()
    except ZeroDivisionError:
        raise fail("a division by zero") from None
    except IndexError:
        raise fail("the index is past the end of the list") from None
    except OverflowError:
        raise fail("a number past 2**63") from None
    except (TypeError, ValueError) as error:
        raise fail(f"`{token.text}` has no meaning for these values: {error}") from None
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise fail("a number past 2**63")
    if isinstance(value, complex):
        raise fail("the root of a negative number")
    if isinstance(value, str | list) and _size(value) > LONGEST_RESULT:
        raise fail(f"a result longer than {LONGEST_RESULT:,}")
    return value


def _size(value: Value) -> int:
    """Characters and elements, counted no further than the limit."""
    if isinstance(value, str):
        return len(value)
    size = 1
    for item in value if isinstance(value, list) else ():
        size += _size(item) + 1
        if size > LONGEST_RESULT:
            break
    return size
