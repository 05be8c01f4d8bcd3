"""Reading of ``check``: conditions on params, which are decided here, and on sizes, which are decided when types are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from nnspec.diagnostics import Diagnostic, Note, Span
from nnspec.expressions import params, syntax
from nnspec.expressions.syntax import Attribute, Call, ExpressionError, Loop, Name, Syntax
from nnspec.spec import problems as p
from nnspec.spec.dumping import flow
from nnspec.spec.evaluate import Scope, computed, evaluate
from nnspec.spec.keys import known_keys
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree, Unknown

CHECK_KEYS = ("that", "message")
"""Keys of a check."""

_EXAMPLE = "write `check: [{that: width % heads == 0, message: …}]`"


@dataclass(frozen=True)
class Check:
    """A condition on sizes of inputs and outputs.

    Attributes:
        that: The expression, for its location.
        condition: The expression, parsed.
        params: Values of the params in it.
        message: What to report if it is not met; empty for a default.
    """

    that: Scalar
    condition: Syntax
    params: Mapping[str, Any]
    message: str = ""

    @property
    def text(self) -> str:
        return str(self.that.value)

    def at(self, error: ExpressionError) -> tuple[Span, str]:
        """Return the location of an error in the expression."""
        return self.that.part(error.start, error.end), self.that.path

    def failed(self, values: Mapping[str, Any]) -> Diagnostic:
        """Return the diagnostic of a check that is not met.

        Args:
            values: What it read, by its text in the expression.
        """
        return _failed(self.that, self.message, {**self.params, **values})


def read_checks(tree: Tree | None, scope: Scope, problems: list[Diagnostic]) -> tuple[Check, ...]:
    """Decide the checks of params, and return those of sizes.

    Args:
        tree: Value of ``check``.
        scope: Params that the checks can use.
        problems: List to which problems are appended.
    """
    if tree is None or (isinstance(tree, Scalar) and tree.value is None):
        return ()
    if not isinstance(tree, SequenceNode):
        problems.append(p.NotAList.at(tree.span, tree.path, help=_EXAMPLE, what="`check`", got=tree.kind))
        return ()
    found = (_read(item, scope, problems) for item in tree.items)
    return tuple(check for check in found if check is not None)


def names_in_expressions(tree: Tree | None) -> Iterator[str]:
    """Yield the names that the checks and ``Compute`` steps of a block read; expressions that do not parse are skipped."""
    match tree:
        case SequenceNode():
            for item in tree.items:
                yield from names_in_expressions(item)
        case MappingNode():
            for key, value in tree.items():
                results = [each for _, each in value.items()] if isinstance(value, MappingNode) else [value]
                for text in results if key.value in ("that", "Compute") else ():
                    yield from _names_in(text)
                if key.value not in ("that", "Compute"):
                    yield from names_in_expressions(value)


def _names_in(tree: Tree) -> Iterator[str]:
    if isinstance(tree, Scalar) and isinstance(tree.value, str):
        with suppress(ExpressionError):
            yield from _params_in(_parsed(tree.value))


def _read(tree: Tree, scope: Scope, problems: list[Diagnostic]) -> Check | None:
    if not isinstance(tree, MappingNode):
        problems.append(p.NotAMapping.at(tree.span, tree.path, help=_EXAMPLE, what="a check", got=tree.kind))
        return None
    tree = known_keys(tree, CHECK_KEYS, "a check", problems)
    found = evaluate(tree, scope, problems)
    assert isinstance(found, MappingNode)
    that, message = found.get("that"), found.get("message")
    if that is None:
        problems.append(p.MissingKey.at(tree.span, tree.path, help=_EXAMPLE, where="a check", key="that"))
        return None
    if message is not None and not (isinstance(message, Scalar) and isinstance(message.value, str | None)):
        reason = f"the message of a check must be a string, not {message.kind}"
        problems.append(p.WrongValue.at(message.span, message.path, help="quote it", reason=reason))
        message = None
    text = "" if message is None or message.plain() is None else str(message.plain())
    if isinstance(that, Unknown):
        return None
    if not isinstance(that, Scalar) or not isinstance(that.value, str | bool):
        reason = f"a check must be an expression, not {that.kind}"
        problems.append(
            p.BadCheck.at(that.span, that.path, help="quote an expression that starts with `[` or `{`", reason=reason)
        )
        return None
    if isinstance(that.value, bool):  # computed by `${…}`
        if not that.value:
            problems.append(_failed(that, text, {}))
        return None
    return _of_text(that, that.value, text, scope, problems)


def _of_text(that: Scalar, text: str, message: str, scope: Scope, problems: list[Diagnostic]) -> Check | None:
    try:
        condition = _parsed(text)
    except ExpressionError as error:
        problems.append(p.BadExpression.at(that.part(error.start, error.end), that.path, help=error.help, reason=str(error)))
        return None
    names = sorted(set(_params_in(condition)))
    if not any(isinstance(node, Attribute) for node in _nodes(condition)):
        before = len(problems)
        value = computed(text, 0, that, scope, problems)
        if value is params.UNKNOWN:
            problems[before:] = map(_or_a_size, problems[before:])
            return None
        if not isinstance(value, bool):
            problems.append(p.BadCheck.at(that.span, that.path, reason=f"a check must be true or false, not {flow(value)}"))
        elif not value:
            problems.append(_failed(that, message, {name: scope.values[name] for name in names}))
        return None
    before = len(problems)
    for node in _nodes(condition):
        if isinstance(node, Name) and node.name in names and node.name not in scope.values:
            computed(" " * node.start + node.name, 0, that, scope, problems)  # reports the unknown name
    scope.used |= set(names)
    values = {name: scope.values[name] for name in names if name in scope.values}
    if len(problems) > before or any(value is params.UNKNOWN for value in values.values()):
        return None
    return Check(that, condition, values, message)


def _or_a_size(problem: Diagnostic) -> Diagnostic:
    """The problem with a help for who meant a size, if it is an unknown name without a similar param."""
    if problem.code != p.UnknownParam.code or problem.help.startswith("did you mean"):
        return problem
    return replace(problem, remedy=None, help="a check reads params, and sizes such as `x.shape[1]`")


def _parsed(text: str) -> Syntax:
    """Parse an expression over params and sizes.

    Raises:
        ExpressionError: If it is not one.
    """
    try:
        return syntax.parse(text, tensors=True)
    except ExpressionError as error:
        if "chained" in str(error):
            help = "write `and` in place of `&`" if "&" in text else error.help.replace(") & (", ") and (")
            raise ExpressionError(str(error), error.start, error.end, help=help) from None
        try:
            return syntax.parse(text)  # a list comprehension
        except ExpressionError as other:
            raise max(error, other, key=lambda each: each.start) from None


def _nodes(node: Syntax) -> Iterator[Syntax]:
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(syntax.children(node))


def _params_in(node: Syntax) -> Iterator[str]:
    """Yield the names of params: all but tensors (``x.shape``), functions and the variables of loops."""
    stack: list[tuple[Syntax, frozenset[str]]] = [(node, frozenset())]
    while stack:
        node, bound = stack.pop()
        match node:
            case Name():
                if node.name not in bound:
                    yield node.name
            case Attribute(value=Name()):
                pass
            case Loop():
                stack.append((node.values, bound))
                inner = (node.item,) if node.condition is None else (node.item, node.condition)
                stack += [(part, bound | {node.name.name}) for part in inner]
            case Call():
                stack += [(part, bound) for part in (*node.arguments, *(value for _, value in node.keywords))]
            case _:
                stack += [(part, bound) for part in syntax.children(node)]


def _failed(that: Scalar, message: str, values: Mapping[str, Any]) -> Diagnostic:
    text = str(that.value) if isinstance(that.value, str) else that.formula.text if that.formula else "false"
    shown = " and ".join(f"`{name}` is {flow(value)}" for name, value in values.items())
    notes = [Note(f"{shown}")] if shown else []
    return p.FailedCheck.at(that.span, that.path, notes=notes, reason=message or f"`{text}` is false")
