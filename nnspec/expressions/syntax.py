"""The syntax of expressions: a tree whose nodes know their position in the text.

The syntax is Python's, and precedence too, from loosest: ``if else``, ``or``, ``and``, ``not``, comparisons, ``|``, ``&``,
``+ -``, ``* / // % @``, unary ``- + ~``, ``**``, then indexing, attributes and calls. Expressions over params (``${…}``) also
have list comprehensions with one ``for``; expressions over tensors (``Compute``) also have slices, attributes, keyword
arguments and the operators ``@ & | ~``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import lru_cache

__all__ = [
    "LONGEST",
    "Attribute",
    "Binary",
    "Call",
    "Conditional",
    "Ellipsis",
    "ExpressionError",
    "Index",
    "List",
    "Literal",
    "Logical",
    "Loop",
    "Name",
    "Slice",
    "Syntax",
    "Unary",
    "children",
    "parse",
]

LONGEST = 2000
"""Maximum number of characters of an expression."""

_DEEPEST = 50
_LARGEST = 2**63

_PLAIN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<string>'[^']*'|\"[^\"]*\")"
    r"|(?P<operator>\*\*|//|==|!=|<=|>=|[-+*/%<>()\[\],:]))"
)
_TENSORS = re.compile(_PLAIN.pattern[:-2] + r"|\.\.\.|[@&|~.=]))")
_KEYWORDS = frozenset({"if", "else", "and", "or", "not", "for", "in"})
_CHARACTERS = {
    "!": "for not, write `~` of tensors and `not` of params",
    "^": "write `**` for a power",
    "$": "write the name alone: params need no `$` in an expression",
    ";": "write several results as a mapping, one expression each",
    "{": "write a list with `[ ]`",
    "'": "close the string with another `'`",
    '"': 'close the string with another `"`',
}
"""Help for characters that have no meaning."""
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "True": True, "False": False, "null": None, "None": None}


class ExpressionError(Exception):
    """An expression that cannot be parsed or evaluated.

    Attributes:
        start: Index of the first invalid character in the expression.
        end: Index after the last one.
        help: How to fix it, if known.
    """

    def __init__(self, message: str, start: int, end: int, help: str = "") -> None:
        super().__init__(message)
        self.start = start
        self.end = end
        self.help = help


@dataclass(frozen=True, slots=True)
class Syntax:
    """A node of the tree.

    Attributes:
        start: Index of its first character in the text.
        end: Index after its last one.
    """

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Literal(Syntax):
    """A number, a string, ``true``, ``false`` or ``null``."""

    value: float | str | bool | None


@dataclass(frozen=True, slots=True)
class Ellipsis(Syntax):
    """``...`` in an index."""


@dataclass(frozen=True, slots=True)
class Name(Syntax):
    """A name that is read."""

    name: str


@dataclass(frozen=True, slots=True)
class List(Syntax):
    """``[a, b]``."""

    items: tuple[Syntax, ...]


@dataclass(frozen=True, slots=True)
class Loop(Syntax):
    """A list comprehension."""

    item: Syntax
    name: Name
    values: Syntax
    condition: Syntax | None


@dataclass(frozen=True, slots=True)
class Call(Syntax):
    """``function(arguments, key=value)``; the function of a method call, which is an error, is named ``x.mean``."""

    function: Name
    arguments: tuple[Syntax, ...]
    keywords: tuple[tuple[Name, Syntax], ...]


@dataclass(frozen=True, slots=True)
class Slice(Syntax):
    """``first:stop:step`` in an index."""

    first: Syntax | None
    stop: Syntax | None
    step: Syntax | None


@dataclass(frozen=True, slots=True)
class Index(Syntax):
    """``value[items]``; ``at`` is the position of the bracket."""

    value: Syntax
    items: tuple[Syntax, ...]
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Attribute(Syntax):
    """``value.name``."""

    value: Syntax
    name: str


@dataclass(frozen=True, slots=True)
class Unary(Syntax):
    """``- + ~`` or ``not``, and its operand; ``at`` is the position of the operator."""

    operator: str
    operand: Syntax
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Binary(Syntax):
    """An operator, a comparison included, and its operands; ``at`` is the position of the operator."""

    operator: str
    left: Syntax
    right: Syntax
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Logical(Syntax):
    """``and`` or ``or``."""

    operator: str
    left: Syntax
    right: Syntax
    at: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Conditional(Syntax):
    """``then if condition else otherwise``; ``at`` is the position of ``if``."""

    condition: Syntax
    then: Syntax
    otherwise: Syntax
    at: tuple[int, int]


def parse(text: str, *, tensors: bool = False) -> Syntax:
    """Parse an expression.

    Args:
        text: The expression.
        tensors: Whether it is an expression over tensors.

    Raises:
        ExpressionError: If the text is not an expression.

    Example:
        >>> parse("2 * width").at
        (2, 3)
    """
    return _parse(text, tensors)


@lru_cache(maxsize=4096)
def _parse(text: str, tensors: bool) -> Syntax:
    if len(text) > LONGEST:
        raise ExpressionError(f"the expression has {len(text):,} characters; the limit is {LONGEST:,}", 0, len(text))
    parser = _Parser(text, tensors)
    tree = parser.conditional()
    parser.expect_end()
    return tree


def children(node: Syntax) -> Iterator[Syntax]:
    """Yield the nodes directly below a node, in order.

    Example:
        >>> [type(child).__name__ for child in children(parse("f(1, x)"))]
        ['Name', 'Literal', 'Name']
    """
    for field in fields(node):
        value = getattr(node, field.name)
        for item in value if isinstance(value, tuple) else (value,):
            for part in item if isinstance(item, tuple) else (item,):
                if isinstance(part, Syntax):
                    yield part


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int

    @property
    def at(self) -> tuple[int, int]:
        return self.start, self.end


def _tokens(text: str, pattern: re.Pattern[str]) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    stop = len(text.rstrip())
    while at < stop:
        match = pattern.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            help = _CHARACTERS.get(text[at], "") if pattern is _TENSORS else ""
            raise ExpressionError(f"unexpected character `{text[at]}` in an expression", at, at + 1, help)
        kind = match.lastgroup or ""
        tokens.append(_Token(kind, match[kind], match.start(kind), match.end(kind)))
        at = match.end()
    tokens.append(_Token("end", "", stop, stop + 1))
    return tokens


_LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"<", "<=", ">", ">=", "==", "!="}),
    frozenset({"|"}),
    frozenset({"&"}),
    frozenset({"+", "-"}),
    frozenset({"*", "/", "//", "%", "@"}),
)


class _Parser:
    """Parses by precedence climbing."""

    def __init__(self, text: str, tensors: bool) -> None:
        self._text = text
        self._tokens = _tokens(text, _TENSORS if tensors else _PLAIN)
        self._tensors = tensors
        self._at = 0
        self._depth = 0

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    @property
    def _end(self) -> int:
        """The index after the last token taken."""
        return self._tokens[self._at - 1].end

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
        return ExpressionError(f"{message}, {found}", token.start, token.end, self._instead(token) if self._tensors else "")

    def _instead(self, token: _Token) -> str:
        """Help at a token that fits nowhere."""
        before = self._tokens[self._at - 1] if self._at else _Token("start", "", 0, 0)
        if before.text in ("lambda", "return"):
            return "write the expression alone, and name its tensors with `from: {…}`"
        if token.text in ("&", "|") and before.text == token.text:
            return f"write `{token.text}`"
        if token.text == "for":
            return "write the tensors one by one: expressions over tensors have no loops"
        if token.text in ("=", ":"):
            return "write `==` to compare; results have names in a mapping: `Compute: {name: expression}`"
        if token.text == ",":
            return "write several results as a mapping: `Compute: {a: …, b: …}`"
        if token.text == ".":
            return "write `x.shape[1]` for a size, and a function for everything else"
        if token.kind in ("name", "number") and before.kind in ("name", "number") and token.text not in _KEYWORDS:
            return f"write `{before.text} * {token.text}` for a product"
        return ""

    def expect_end(self) -> None:
        if self._next.kind != "end":
            raise self._unexpected("expected an operator")

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ExpressionError(f"nested more than {_DEEPEST} levels deep", *self._next.at)

    def conditional(self) -> Syntax:
        self._deeper()
        then = self._or()
        if token := self._take("if"):
            condition = self._or()
            self._expect("else")
            otherwise = self.conditional()
            then = Conditional(then.start, otherwise.end, condition, then, otherwise, token.at)
        self._depth -= 1
        return then

    def _or(self) -> Syntax:
        left = self._and()
        while token := self._take("or"):
            right = self._and()
            left = Logical(left.start, right.end, "or", left, right, token.at)
        return left

    def _and(self) -> Syntax:
        left = self._not()
        while token := self._take("and"):
            right = self._not()
            left = Logical(left.start, right.end, "and", left, right, token.at)
        return left

    def _not(self) -> Syntax:
        taken = []
        while token := self._take("not"):
            taken.append(token)
        operand = self._binary(0)
        for token in reversed(taken if len(taken) % 2 else taken[:0]):
            return Unary(token.start, operand.end, "not", operand, token.at)
        return operand

    def _binary(self, level: int) -> Syntax:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while self._next.kind == "operator" and self._next.text in _LEVELS[level]:
            token = self._next
            is_chain = level == 0 and isinstance(left, Binary) and left.operator in _LEVELS[0]
            is_chain = self._tensors and is_chain and self._tokens[self._at - 1].text != ")"
            self._at += 1
            right = self._binary(level + 1)
            if is_chain:
                assert isinstance(left, Binary)
                help = self._unchained(left, token.text, right)
                raise ExpressionError("comparisons cannot be chained", left.start, right.end, help)
            left = Binary(left.start, right.end, token.text, left, right, token.at)
        return left

    def _unchained(self, left: Binary, operator: str, right: Syntax) -> str:
        """How to write a chain of comparisons; in ``a > 0 & a < 1``, `&` was meant to join two comparisons."""

        def shown(first: Syntax, last: Syntax) -> str:
            return self._text[first.start : last.end]

        middle = left.right
        if isinstance(middle, Binary) and middle.operator in ("&", "|"):
            first = f"{shown(left.left, left.left)} {left.operator} {shown(middle.left, middle.left)}"
            return f"write `({first}) {middle.operator} ({shown(middle.right, middle.right)} {operator} {shown(right, right)})`"
        return f"write `({shown(left, left)}) & ({shown(middle, middle)} {operator} {shown(right, right)})`"

    def _unary(self) -> Syntax:
        signs = []
        while (token := self._take("-", "+", "~")) is not None:
            signs.append(token)
        operand = self._power()
        negated = sum(token.text == "-" for token in signs)
        if all(token.text != "~" for token in signs):  # many signs need no nesting
            return Unary(signs[0].start, operand.end, "-", operand, signs[0].at) if negated % 2 else operand
        for token in reversed(signs):
            self._deeper()
            operand = Unary(token.start, operand.end, token.text, operand, token.at)
        self._depth -= len(signs)
        return operand

    def _power(self) -> Syntax:
        base = self._postfix()
        token = self._take("**")
        if token is None:
            return base
        self._deeper()
        exponent = self._unary()
        self._depth -= 1
        return Binary(base.start, exponent.end, "**", base, exponent, token.at)

    def _postfix(self) -> Syntax:
        value = self._atom()
        while True:
            if token := self._take("["):
                items = self._indices() if self._tensors else (self._index(),)
                self._expect("]")
                value = Index(value.start, self._end, value, items, token.at)
            elif self._tensors and self._take("."):
                name = self._next
                if name.kind != "name":
                    raise self._unexpected("expected a name after `.`")
                self._at += 1
                value = Attribute(value.start, name.end, value, name.text)
            elif isinstance(value, Attribute) and self._take("("):  # no function; its type is the error
                value = self._call(Name(value.start, value.end, self._text[value.start : value.end]))
            else:
                return value

    def _indices(self) -> tuple[Syntax, ...]:
        items: list[Syntax] = []
        while self._next.text != "]":
            items.append(self._index())
            if not self._take(","):
                break
        if not items:
            raise self._unexpected("expected an index")
        return tuple(items)

    def _index(self) -> Syntax:
        start = self._next.start
        if token := self._take("..."):
            return Ellipsis(*token.at)
        first = None if self._next.text in (":", ",", "]") else self.conditional()
        if not self._take(":"):
            if first is None:
                raise self._unexpected("expected an index")
            return first
        stop = None if self._next.text in (":", ",", "]") else self.conditional()
        step = self.conditional() if self._take(":") and self._next.text not in (",", "]") else None
        return Slice(start, self._end, first, stop, step)

    def _atom(self) -> Syntax:
        token = self._next
        if token.kind == "number":
            self._at += 1
            return Literal(*token.at, _number(token))
        if token.kind == "string":
            self._at += 1
            return Literal(*token.at, token.text[1:-1])
        if self._take("("):
            inner = self.conditional()
            self._expect(")")
            return inner
        if self._take("["):
            return self._list(token)
        if token.kind == "name" and token.text not in _KEYWORDS:
            self._at += 1
            if self._take("("):
                return self._call(Name(*token.at, token.text))
            if token.text in _WORDS:
                return Literal(*token.at, _WORDS[token.text])
            return Name(*token.at, token.text)
        raise self._unexpected("expected a value")

    def _list(self, token: _Token) -> Syntax:
        """Parse a list or a list comprehension: ``[item for name in list if condition]``."""
        items: list[Syntax] = []
        while not self._take("]"):
            items.append(self.conditional())
            if len(items) == 1 and not self._tensors and self._take("for"):
                return self._loop(token, items[0])
            if not self._take(","):
                self._expect("]")
                break
        return List(token.start, self._end, tuple(items))

    def _loop(self, token: _Token, item: Syntax) -> Syntax:
        name = self._next
        if name.kind != "name" or name.text in _KEYWORDS or name.text in _WORDS:
            raise self._unexpected("expected a name after `for`")
        self._at += 1
        self._expect("in")
        values = self._or()
        condition = self._or() if self._take("if") else None
        if self._next.text in ("for", "if", "else"):
            raise self._unexpected("a list comprehension takes one `for` and then at most one `if`; nest lists for more")
        self._expect("]")
        return Loop(token.start, self._end, item, Name(*name.at, name.text), values, condition)

    def _call(self, function: Name) -> Syntax:
        arguments: list[Syntax] = []
        keywords: list[tuple[Name, Syntax]] = []
        while not self._take(")"):
            token = self._next
            if self._tensors and token.kind == "name" and self._tokens[self._at + 1].text == "=":
                self._at += 2
                keywords.append((Name(*token.at, token.text), self.conditional()))
            elif keywords:
                raise ExpressionError(
                    "an argument without a name follows one with a name",
                    token.start,
                    self.conditional().end,
                    help="write it first, or give it its name",
                )
            else:
                arguments.append(self.conditional())
            if not self._take(","):
                self._expect(")")
                break
        return Call(function.start, self._end, function, tuple(arguments), tuple(keywords))


def _number(token: _Token) -> float:
    text = token.text.replace("_", "")
    value = int(text) if text.isdigit() and len(text) < 30 else float(text)
    if abs(value) > _LARGEST and isinstance(value, int):
        raise ExpressionError("a number greater than 2**63", token.start, token.end)
    return value
