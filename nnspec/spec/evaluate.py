"""Evaluation of expressions in a tree. Subtrees without expressions are returned unchanged."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Container, Mapping
from itertools import chain, islice
from typing import Any

from nnspec.diagnostics import Advice, Diagnostic, Span, SpecError, once
from nnspec.diagnostics.remedies import Replace
from nnspec.expressions.params import LONGEST_RESULT, UNKNOWN, ExpressionError, UnknownName, UnknownValue, parse
from nnspec.spec import problems as p
from nnspec.spec.limits import Limits
from nnspec.spec.tree import Formula, MappingNode, Place, Scalar, SequenceNode, Tree, Unknown
from nnspec.types import closest, listed, suggested

_SHORT = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_LONG = re.compile(r"\$\{([^}]*)\}")
_MOST_NAMES = 300
_MOST_ELEMENTS = 20_000
_MADE, _CHARACTERS = 4, 100
"""Count of a value made by an expression, and number of characters of text that count as one value."""


class Expanded:
    """Counter of the values made by the params, expressions and repeats of a document and all files it uses.

    Args:
        most: Limit.
    """

    def __init__(self, most: int = Limits.expanded) -> None:
        self._most = most
        self._count = 0

    def add(self, count: int, at: Tree, problems: list[Diagnostic]) -> None:
        """Add to the count.

        Raises:
            SpecError: If the limit is exceeded; contains all diagnostics found so far.
        """
        self._count += count
        if self._count > self._most:
            what = f"params, expressions and repeats make more than {self._most:,} values"
            limit = p.LimitExceeded.at(at.span, at.path, what=what, limit="expanded", most=self._most)
            raise SpecError([*once(problems), limit])


class Scope:
    """Names that an expression can use.

    Attributes:
        values: Values by name.
        used: Names that an expression has read.
        trees: Values by name, as nodes of the document.
        steps: Steps taken by list comprehensions, as a single number shared by the whole document.
        expanded: Counter of values made from the whole document.
    """

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        used: set[str] | None = None,
        trees: Mapping[str, Tree] | None = None,
        steps: list[int] | None = None,
        expanded: Expanded | None = None,
    ) -> None:
        # A chain: a document may have many params and many repeats, so params are not copied for each repetition.
        self.values = values if isinstance(values, ChainMap) else ChainMap(dict(values or {}))
        self.used: set[str] = set() if used is None else used
        self.trees = trees if isinstance(trees, ChainMap) else ChainMap(dict(trees or {}))
        self.steps: list[int] = [0] if steps is None else steps
        self.expanded = expanded or Expanded()

    def inner(self, trees: Mapping[str, Tree], problems: list[Diagnostic]) -> Scope:
        """Return a nested scope with more names; reads are recorded in both."""
        inner = Scope(self.values.new_child(), self.used, self.trees.new_child(), self.steps, self.expanded)
        for name, tree in trees.items():
            inner.add(name, tree, problems)
        return inner

    def without(self, names: Container[str]) -> Scope:
        """Return the scope without some names."""
        values = {name: value for name, value in self.values.items() if name not in names}
        trees = {name: tree for name, tree in self.trees.items() if name not in names}
        return Scope(values, self.used, trees, self.steps, self.expanded)

    def last_names(self, most: int) -> list[str]:
        """Return the known names in order, limited to the last ones."""
        return list(islice(chain.from_iterable(map(reversed, self.values.maps)), most))[::-1]

    def add(self, name: str, tree: Tree, problems: list[Diagnostic]) -> None:
        """Add a name for later evaluations."""
        self.expanded.add(tree.size, tree, problems)
        self.values[name], self.trees[name] = _plain(tree), tree


def _plain(tree: Tree) -> Any:
    return UNKNOWN if tree.unknown else tree.plain()


def names_read(text: str) -> set[str]:
    """Return the names that the expressions of a scalar read.

    Example:
        >>> sorted(names_read("${2 * width}x$height"))
        ['width']
    """
    short = _SHORT.fullmatch(text)
    expressions = [short[1]] if short else [match[1] for match in _LONG.finditer(text)]
    return {name for expression in expressions for name in parse(expression).names}


def names_in(tree: Tree) -> frozenset[str]:
    """Return the names read by any expression in a tree; expressions that do not parse are skipped.

    Example:
        >>> from nnspec.spec import read_text
        >>> sorted(names_in(read_text("[$width, {a: '${2 * depth}'}, '${1 +}']", "example", [])))
        ['depth', 'width']
    """
    match tree:
        case MappingNode() if tree.dynamic:
            return frozenset().union(*(names_in(value) for _, value in tree.items()))
        case SequenceNode() if tree.dynamic:
            return frozenset().union(*(names_in(item) for item in tree.items))
        case Scalar() if tree.dynamic:
            try:
                return frozenset(names_read(str(tree.value)))
            except ExpressionError:
                pass
    return frozenset()


def evaluate(tree: Tree, scope: Scope, problems: list[Diagnostic]) -> Tree:
    """Replace every expression in a tree by its value.

    An expression that fails is reported and replaced by an [`Unknown`][nnspec.spec.tree.Unknown]. An expression that reads a
    param of unknown value becomes unknown without another report.
    """
    if not tree.dynamic:
        return tree
    scope.expanded.add(tree.size, tree, problems)
    return _evaluate(tree, scope, problems)


def evaluated(tree: Tree | None, scope: Scope, problems: list[Diagnostic]) -> Tree | None:
    """Evaluate an optional tree; returns None if it is missing or entirely unknown. See [`evaluate`][]."""
    found = None if tree is None else evaluate(tree, scope, problems)
    return None if isinstance(found, Unknown) else found


def _evaluate(tree: Tree, scope: Scope, problems: list[Diagnostic]) -> Tree:
    if not tree.dynamic:
        return tree
    match tree:
        case MappingNode():
            entries = [(key, _evaluate(value, scope, problems)) for key, value in tree.items()]
            return MappingNode(entries, tree.span, tree.place)
        case SequenceNode():
            return SequenceNode([_evaluate(item, scope, problems) for item in tree.items], tree.span, tree.place)
        case Scalar():
            return _scalar(tree, scope, problems)
    return tree


def _scalar(scalar: Scalar, scope: Scope, problems: list[Diagnostic]) -> Tree:
    text = scalar.value
    assert isinstance(text, str)
    if match := _SHORT.fullmatch(text):
        return _made(computed(match[1], match.start(1), scalar, scope, problems), scalar, scope, problems)
    if match := _LONG.fullmatch(text):
        return _made(computed(match[1], match.start(1), scalar, scope, problems), scalar, scope, problems)
    if "${" not in text:
        return scalar

    length = len(text)
    closed, rest = text[: text.rfind("}") + 1], text[text.rfind("}") + 1 :]  # avoids a second search for an unclosed `${`
    known = True

    def written(match: re.Match[str]) -> str:
        nonlocal length, known
        value = computed(match[1], match.start(1), scalar, scope, problems)
        known = known and value is not UNKNOWN and not isinstance(value, list)
        if isinstance(value, list):
            reason = "a list cannot be inserted into a string; an expression alone in its quotes can return a list"
            span = scalar.part(*match.span())
            problems.append(p.BadExpression.at(span, scalar.path, reason=reason))
        piece = str(value).lower() if isinstance(value, bool) else str(value)
        length += len(piece)
        return piece if length <= LONGEST_RESULT + len(text) else ""

    result = _LONG.sub(written, closed) + rest
    scope.expanded.add(_MADE + len(result) // _CHARACTERS, scalar, problems)
    if length > LONGEST_RESULT + len(text):
        reason = f"the result is longer than {LONGEST_RESULT:,}"
        problems.append(p.BadExpression.at(scalar.span, scalar.path, reason=reason))
        known = False
    if "${" in _LONG.sub("", closed) + rest:
        at = text.rfind("${")
        problems.append(p.BadExpression.at(scalar.part(at, at + 2), scalar.path, reason="`${` is not closed by `}`"))
        known = False
    if not known:
        return Unknown(scalar.span, scalar.place)
    written_out = Scalar(result, scalar.span, scalar.place, quoted=True)
    written_out.formula = Formula(text, scope.trees)
    return written_out


def computed(text: str, offset: int, scalar: Scalar, scope: Scope, problems: list[Diagnostic]) -> Any:
    """Return the value of an expression; reports an error, and returns [`UNKNOWN`][nnspec.expressions.params.UNKNOWN] then.

    Args:
        text: Expression, without ``${…}``.
        offset: Index of its first character in the scalar.
        scalar: Scalar that contains it, for locations.
        scope: Names that it can use.
        problems: List to which problems are appended.
    """
    try:
        expression = parse(text)
        scope.used |= expression.names
        return expression.evaluate(scope.values, scope.steps)
    except UnknownValue:
        pass
    except UnknownName as error:
        names = scope.last_names(_MOST_NAMES)
        suggestion = closest(error.name, names)
        scope.used.add(suggestion or "")  # used, but misspelled
        span = scalar.part(offset + error.start, offset + error.end)
        known = listed(names)
        help = (
            suggested(error.name, suggestion, scope.values, defined=True)
            if suggestion
            else (f"the params are {known}" if known else "define it under `params`")
        )
        problems.append(p.UnknownParam.at(span, scalar.path, help=help, name=error.name))
    except ExpressionError as error:
        span = scalar.part(offset + error.start, offset + error.end)
        at_fault = text[error.start : error.end]
        remedy = Replace(old=at_fault, new=_INSTEAD[at_fault]) if at_fault in _INSTEAD else None
        help = Advice(_HINTS.get(at_fault, ""), remedy)
        problems.append(p.BadExpression.at(span, scalar.path, help=help, reason=str(error)))
    return UNKNOWN


_INSTEAD = {"^": "**", "&": "and", "|": "or", "=": "==", "$": ""}
"""What to write instead of an invalid character, if that is certain."""

_HINTS = {
    "^": "use `**` for powers",
    "int": "use `//` for integer division, or `round`",
    "float": "remove `float`; numbers need no conversion",
    "floor": "use `//`, which divides and rounds down",
    "ceil": "use `-(-a // b)` to divide and round up",
    "sqrt": "use `** 0.5`",
    "math": "use `** 0.5` for a square root, `//` to divide and round down",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`",
    "?": "write `a if c else b`",
    "=": "write `==`",
    "{": "remove the braces around names in an expression",
    "$": "remove the `$` before names in an expression",
}
"""Help for invalid characters and names in an expression."""


def _made(value: Any, scalar: Scalar, scope: Scope, problems: list[Diagnostic]) -> Tree:
    """Convert a computed value to a tree, if it is not too large."""
    count = _elements(value)
    if count > _MOST_ELEMENTS:
        reason = f"the value has more than {_MOST_ELEMENTS:,} elements, including nested lists"
        problems.append(p.BadExpression.at(scalar.span, scalar.path, reason=reason))
        return Unknown(scalar.span, scalar.place)
    scope.expanded.add(_MADE * count, scalar, problems)
    return _tree_of(value, scalar.span, scalar.place, Formula(str(scalar.value), scope.trees))


def _elements(value: Any) -> int:
    """Count the values nested in a value, including itself, up to the limit."""
    count = 0
    stack = [value]
    while stack and count <= _MOST_ELEMENTS:
        value = stack.pop()
        count += 1
        stack.extend(value if isinstance(value, list) else value.values() if isinstance(value, dict) else ())
    return count


def _tree_of(value: Any, span: Span, place: Place | None, formula: Formula) -> Tree:
    """Convert a computed value to a tree located at its expression."""
    result: Tree
    if value is UNKNOWN:
        return Unknown(span, place)
    if isinstance(value, list):
        items = [_tree_of(item, span, Place(place, index), formula) for index, item in enumerate(value)]
        result = SequenceNode(items, span, place)
    elif isinstance(value, dict):
        entries = [(Scalar(key, span), _tree_of(item, span, Place(place, str(key)), formula)) for key, item in value.items()]
        result = MappingNode(entries, span, place)
    else:
        result = Scalar(value, span, place, quoted=isinstance(value, str))
        result.dynamic = False
    result.formula = formula
    return result
