"""Reading of ``Compute`` steps: their expressions, and what the names in them are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from nnspec.diagnostics import Diagnostic
from nnspec.expressions.params import UNKNOWN
from nnspec.expressions.syntax import ExpressionError, parse
from nnspec.functions.catalogue import FUNCTIONS
from nnspec.functions.help import instead_of_attribute
from nnspec.functions.names import CONSTANTS, names_read, unquoted
from nnspec.layers.compute import Compute
from nnspec.spec import problems as p
from nnspec.spec.evaluate import Scope
from nnspec.spec.tree import MappingNode, Scalar, SequenceNode, Tree, Unknown
from nnspec.types import suggested


@dataclass(frozen=True)
class Read:
    """A name that an expression reads.

    Attributes:
        name: The name; with an output, ``encoder.states``.
        scalar: The expression.
        start: The index of its first character in the expression.
        end: The index after its last one.
    """

    name: str
    scalar: Scalar
    start: int
    end: int


def expressions(arguments: Tree | None) -> dict[str, Scalar]:
    """The expressions of a ``Compute`` step that are strings, by result."""
    if isinstance(arguments, MappingNode):
        found = {str(key.value): value for key, value in arguments.items()}
    else:
        found = {} if arguments is None else {"output": arguments}
    return {name: value for name, value in found.items() if isinstance(value, Scalar) and _is_text(value)}


def _is_text(value: Scalar) -> bool:
    return isinstance(value.value, str | int | float) and not isinstance(value.value, bool)


def reads_of(arguments: Tree | None) -> Iterator[Read]:
    """Yield the names that the expressions of a step read, each once; earlier results are left out."""
    seen: set[str] = set()
    for result, scalar in expressions(arguments).items():
        try:
            names = names_read(parse(str(scalar.value), tensors=True))
        except ExpressionError:
            names = {}
        for name, node in names.items():
            if name not in seen:
                seen.add(name)
                yield Read(name, scalar, node.start, node.end)
        seen.add(result)


def read_compute(
    arguments: Tree | None, source: Tree | None, at: Scalar, path: str, scope: Scope, problems: list[Diagnostic]
) -> Compute | None:
    """Read the expressions of a step; reports and returns None if they are invalid.

    Args:
        arguments: The value of ``Compute``.
        source: The value of ``from``.
        at: The operation.
        path: The path of the step.
        scope: The params that expressions can use.
        problems: List to which problems are appended.
    """
    if isinstance(arguments, Unknown) or isinstance(source, Unknown):
        return None
    if isinstance(source, SequenceNode):
        names = ", ".join(_named(str(item.plain()), letter) for letter, item in zip("abcdef", source.items, strict=False))
        help = f"name the tensors: `from: {{{names}}}`"
        problems.append(p.WrongValue.at(source.span, source.path, help=help, reason="`from` of `Compute` must not be a list"))
        return None
    found = expressions(arguments)
    if not _are_texts(arguments, problems):
        return None
    if not found:
        got = "nothing" if arguments is None else "an empty mapping" if isinstance(arguments, MappingNode) else arguments.kind
        span = at.span if arguments is None else arguments.span
        reason = f"`Compute` takes an expression, or a mapping of results to expressions, not {got}"
        problems.append(p.WrongValue.at(span, path, help=_expected(arguments), reason=reason))
        return None
    before = len(problems)
    for name, scalar in found.items():
        _check_name(name, arguments, problems)
        problems.extend(_syntax_errors(scalar, scope))
    if len(problems) > before:
        return None
    own = [str(key.value) for key, _ in source.items()] if isinstance(source, MappingNode) else None
    if isinstance(source, Scalar) and source.value is not None:
        own = ["x"]
    read = _names(arguments, source, own, scope, problems)
    if read is None:
        return None
    reads, params = read
    problems.extend(_ambiguous_results(arguments, own or (), scope))
    if len(problems) == before and own is not None:
        problems.extend(_unread(source, reads))
    if len(problems) > before:
        return None
    texts = {name: str(scalar.value) for name, scalar in found.items()}
    return Compute(results=texts, reads=reads, params=params)


def _syntax_errors(scalar: Scalar, scope: Scope) -> Iterator[Diagnostic]:
    try:
        for call, text in unquoted(parse(str(scalar.value), tensors=True), scope.values):
            reason = f"`{call.function.name}` takes a string here, not a name"
            yield _bad(scalar, ExpressionError(reason, text.start, text.end, f"write `'{text.name}'`, in quotes"))
    except ExpressionError as error:
        yield _bad(scalar, error)


def _names(
    arguments: Tree | None, source: Tree | None, own: Sequence[str] | None, scope: Scope, problems: list[Diagnostic]
) -> tuple[list[str], dict[str, object]] | None:
    """The tensors that expressions read, and the values of the params; None if one has no known value.

    Args:
        arguments: The value of ``Compute``.
        source: The value of ``from``.
        own: The names that ``from`` gives; None without it.
        scope: The params that expressions can use.
        problems: List to which problems are appended.
    """
    reads: list[str] = []
    params: dict[str, object] = {}
    for read in reads_of(arguments):
        is_param = read.name in scope.values
        if is_param:
            scope.used.add(read.name)
        if own is not None and read.name in own:
            if is_param or read.name in CONSTANTS:
                problems.append(
                    _two_meanings(read, "a tensor of `from`", "a param" if is_param else "a constant", "another key")
                )
            reads.append(read.name)
        elif is_param:
            if scope.values[read.name] is UNKNOWN:
                return None
            params[read.name] = scope.values[read.name]
        elif read.name in CONSTANTS:
            continue
        elif own is None:
            reads.append(read.name)
        else:
            problems.append(_not_in_from(read, own, source))
    return reads, params


def _ambiguous_results(arguments: Tree | None, own: Sequence[str], scope: Scope) -> Iterator[Diagnostic]:
    for name, read in results_read(arguments):
        if name in own or name in scope.values or name in CONSTANTS:
            other = "a tensor of `from`" if name in own else "a param" if name in scope.values else "a constant"
            yield _two_meanings(read, "an earlier result", other, "another name for the result")


def results_read(arguments: Tree | None) -> Iterator[tuple[str, Read]]:
    """Yield the results that a later expression of the step reads, and where."""
    earlier: set[str] = set()
    for result, scalar in expressions(arguments).items():
        try:
            names = names_read(parse(str(scalar.value), tensors=True))
        except ExpressionError:
            names = {}
        for name, node in names.items():
            if name in earlier:
                yield name, Read(name, scalar, node.start, node.end)
        earlier.add(result)


def _named(name: str, letter: str) -> str:
    return f"{name if name.isidentifier() else letter}: {name}"


def _expected(found: Tree | None) -> str:
    """What to write for a value that is no expression."""
    if isinstance(found, SequenceNode) and found.items and all(isinstance(item, Scalar) for item in found.items):
        if all(isinstance(item, Scalar) and item.span.line == found.span.line for item in found.items):
            return f'quote the expression: `- Compute: "[{", ".join(str(item.plain()) for item in found.items)}]"`'
        return "name the results: `- Compute: {a: …, b: …}`"
    return "write an expression, `- Compute: x * sigmoid(x)`"


def _not_in_from(read: Read, own: Sequence[str], source: Tree | None) -> Diagnostic:
    """A name that `from` does not name."""
    owner, _, attribute = read.name.partition(".")
    near = get_close_matches(read.name, own, 1)
    reason = f"unknown name `{read.name}`: with `from`, its keys are the tensors"
    if owner in own:
        reason, help = f"a tensor has no attribute `{attribute}`", instead_of_attribute(attribute, owner)
    elif near:
        help = suggested(read.name, near[0], own, defined=True)
    elif read.name in FUNCTIONS:
        help = f"`{read.name}` is a function: write `{FUNCTIONS[read.name].signature}`"
    else:
        short = read.name.rpartition(".")[2]
        given = source.items() if isinstance(source, MappingNode) else ()
        names = ", ".join([*(f"{key.value}: {value.plain()}" for key, value in given), f"{short}: {read.name}"])
        help = (
            f"write `from: {{{names}}}`" if given else f"the only tensor is `x`: write `from: {{x: …, {short}: {read.name}}}`"
        )
    return p.BadExpression.at(read.scalar.part(read.start, read.end), read.scalar.path, help=help, reason=reason)


def _unread(source: Tree | None, reads: Sequence[str]) -> Iterator[Diagnostic]:
    """Yield the names of `from` that no expression reads."""
    if isinstance(source, MappingNode):
        for key, value in source.items():
            if str(key.value) not in reads:
                reason = f"no expression reads `{key.value}`"
                yield p.WrongValue.at(key.span, value.path, help="remove it from `from`", reason=reason)
    elif source is not None and not reads:
        reason = "the expression does not read `x`, the tensor that `from` names"
        yield p.WrongValue.at(source.span, source.path, help="write `x` in the expression, or remove `from`", reason=reason)


def _are_texts(arguments: Tree | None, problems: list[Diagnostic]) -> bool:
    if not isinstance(arguments, MappingNode):
        return True
    wrong = [(key, value) for key, value in arguments.items() if not (isinstance(value, Scalar) and _is_text(value))]
    for key, value in wrong:
        if isinstance(value, Unknown):
            continue
        help = _expected(value).replace("- Compute", str(key.value))
        if isinstance(value, MappingNode):
            help = "write the results directly below `Compute`, or quote an expression that contains `: `"
        reason = f"the result `{key.value}` must be an expression, not {value.kind}"
        problems.append(p.WrongValue.at(value.span, value.path, help=help, reason=reason))
    return not wrong


def _check_name(name: str, arguments: Tree | None, problems: list[Diagnostic]) -> None:
    if not isinstance(arguments, MappingNode) or name.isidentifier():
        return
    key = next(key for key, _ in arguments.items() if str(key.value) == name)
    problems.append(p.BadName.at(key.span, arguments.path, name=name, what="a result", pattern="[A-Za-z_][A-Za-z0-9_]*"))


def _bad(scalar: Scalar, error: ExpressionError) -> Diagnostic:
    return p.BadExpression.at(scalar.part(error.start, error.end), scalar.path, help=error.help, reason=str(error))


def _two_meanings(read: Read, first: str, second: str, fix: str) -> Diagnostic:
    reason = f"`{read.name}` has two meanings here: {first} and {second}"
    return p.BadExpression.at(read.scalar.part(read.start, read.end), read.scalar.path, help=f"use {fix}", reason=reason)
