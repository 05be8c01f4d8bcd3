"""Checks of sizes: decided where the sizes are numbers, and constraints where they are free."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nnspec.diagnostics import Diagnostic
from nnspec.expressions.params import BINARY, FUNCTIONS
from nnspec.expressions.syntax import (
    Attribute,
    Binary,
    Call,
    Conditional,
    ExpressionError,
    Index,
    List,
    Literal,
    Logical,
    Name,
    Syntax,
    Unary,
)
from nnspec.graph.conditions import Request
from nnspec.spec import problems as p
from nnspec.spec.checks import Check
from nnspec.types import Dim, SizeTooComplex, TensorType, did_you_mean, listed
from nnspec.types.constraints import Constraint

_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_FREE = "a check of free sizes compares them with `==`, `<=`, `<`, `>=` or `>`, after `+ - *`, `// N` or `% N`"

_Truth = bool | tuple[Constraint, ...]
"""The result of a condition: true, false, or true if constraints are met."""


def decide(
    check: Check, inputs: Mapping[str, TensorType], outputs: Mapping[str, TensorType], problems: list[Diagnostic]
) -> list[Request]:
    """Decide a check, and return what must be true of free sizes for it to be met.

    Args:
        check: The check.
        inputs: Types of the inputs of the network or block, by name.
        outputs: Types of its outputs. A single output is also called ``output``.
        problems: List to which problems are appended.
    """
    if len(outputs) == 1:
        outputs = {"output": next(iter(outputs.values())), **outputs}
    reading = _Reading(check, inputs, outputs)
    try:
        found = reading.value(check.condition)
        if isinstance(found, bool):
            if not found:
                problems.append(check.failed(reading.read))
            return []
        if not isinstance(found, tuple):
            raise _error(check.condition, "a check must be true or false, not a number or a size")
    except (ExpressionError, SizeTooComplex, RecursionError) as error:
        if not isinstance(error, ExpressionError):
            error = _error(check.condition, str(error) if isinstance(error, SizeTooComplex) else "too many operations")
        span, path = check.at(error)
        problems.append(p.BadCheck.at(span, path, help=error.help, reason=str(error)))
        return []
    return [Request(constraint, check.that.span, check.that.path, "check", message=check.message) for constraint in found]


def _error(node: Syntax, reason: str, help: str = "") -> ExpressionError:
    return ExpressionError(reason, node.start, node.end, help=help)


def _two_meanings(node: Syntax, name: str, of_input: str, of_output: str) -> ExpressionError:
    reason = f"`{name}` is an input, which {of_input}, and an output, which {of_output}"
    return _error(node, reason, "give the output another name to check its size")


class _Reading:
    """Evaluates a condition: to a bool, or to the constraints that it stands for.

    Attributes:
        read: The sizes that it read, by their text.
    """

    def __init__(self, check: Check, inputs: Mapping[str, TensorType], outputs: Mapping[str, TensorType]) -> None:
        self._check = check
        self._inputs = inputs
        self._outputs = outputs
        self.read: dict[str, Any] = {}

    def value(self, node: Syntax) -> Any:
        match node:
            case Literal():
                return node.value
            case Name():
                return self._check.params[node.name]
            case List():
                return [self.value(item) for item in node.items]
            case Attribute():
                return self._shape(node)
            case Index():
                return self._item(node)
            case Call():
                return self._call(node)
            case Unary(operator="not"):
                return not self._decided(node.operand, "`not`")
            case Unary(operator="-"):
                return self._computed(node, lambda: -self.value(node.operand))
            case Logical():
                return self._logical(node)
            case Conditional():
                return self.value(node.then if self._decided(node.condition, "`if`") else node.otherwise)
            case Binary() if node.operator in _COMPARISONS:
                return self._comparison(node)
            case Binary() if node.operator in BINARY:
                return self._arithmetic(node)
        help = {"&": "write `and`", "|": "write `or`", "~": "write `not`"}.get(getattr(node, "operator", ""), "")
        raise _error(node, "this is not possible in a check", help)

    def _shape(self, node: Attribute) -> list[Any]:
        """Return a shape with the batch, whose size is unknown, as None, and two sizes as a pair."""
        known = [*self._inputs, *(name for name in self._outputs if name not in self._inputs)]
        if node.name != "shape" or not isinstance(node.value, Name):
            raise _error(node, "a check reads only the shapes of inputs and outputs", "write `x.shape[1]`")
        name = node.value.name
        found = [types[name] for types in (self._inputs, self._outputs) if name in types]
        if not found:
            help = did_you_mean(name, known, f"the inputs and outputs are {listed(known)}")
            raise _error(node.value, f"`{name}` is not an input or output", help)
        first, last = found[0], found[-1]
        if first.rank != last.rank:
            raise _two_meanings(node, name, f"has {first.rank + 1} axes", f"has {last.rank + 1}")
        return [None, *(a if a == b else (a, b) for a, b in zip(first.shape, last.shape, strict=True))]

    def _item(self, node: Index) -> Any:
        values = self.value(node.value)
        index = self.value(node.items[0]) if len(node.items) == 1 else None
        if not isinstance(values, list | str) or not isinstance(index, int) or isinstance(index, bool):
            raise _error(node, "expected one integer as the index", "write `x.shape[1]`")
        if not -len(values) <= index < len(values):
            of = f": the axes are 0, the batch, to {len(values) - 1}" if isinstance(node.value, Attribute) else ""
            raise _error(node.items[0], f"index {index} is out of range{of}")
        found = values[index]
        if isinstance(node.value, Attribute):
            if found is None:
                raise _error(
                    node, "axis 0 is the batch, whose size is not part of the model", "the axes of an example start at 1"
                )
            if isinstance(found, tuple):
                name = self._check.text[node.value.start : node.value.end].partition(".")[0]
                raise _two_meanings(node, name, f"is {found[0]} here", f"is {found[1]}")
            self.read[self._check.text[node.start : node.end]] = found
        return found

    def _call(self, node: Call) -> Any:
        function = FUNCTIONS.get(node.function.name)
        if function is None or node.keywords:
            reason = f"unknown function `{node.function.name}`" if function is None else "functions take no keywords"
            raise _error(node.function, reason, f"the functions are {listed(FUNCTIONS)}")
        values = [self.value(argument) for argument in node.arguments]
        if node.function.name != "len" and any(_is_free(value) for value in values):
            raise _error(node, f"`{node.function.name}` of a free size cannot be checked", _FREE)
        return self._computed(node, lambda: function(*values))

    def _computed(self, node: Syntax, compute: Callable[[], Any]) -> Any:
        try:
            return compute()
        except (ArithmeticError, TypeError, ValueError, IndexError) as error:
            raise _error(node, f"this cannot be evaluated: {error or type(error).__name__}") from None

    def _decided(self, node: Syntax, what: str) -> bool:
        """Return the value of a condition that must not depend on free sizes."""
        found = self.value(node)
        if isinstance(found, tuple) or _is_free(found):
            raise _error(node, f"{what} is not possible for a condition on free sizes", _FREE)
        return bool(found)

    def _logical(self, node: Logical) -> _Truth:
        left, right = self._condition(node.left), self._condition(node.right)
        if node.operator == "and":
            if isinstance(left, bool):
                return right if left else False
            return (*left, *right) if isinstance(right, tuple) else (left if right else False)
        if left is True or right is True:
            return True
        if left is False or right is False:
            return right if left is False else left
        raise _error(node, "`or` is not possible between two conditions on free sizes", _FREE)

    def _condition(self, node: Syntax) -> _Truth:
        found = self.value(node)
        if not isinstance(found, bool | tuple):
            raise _error(node, f"expected a condition, not {found}", "compare it: `… > 0`")
        return found

    def _arithmetic(self, node: Binary) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if not (isinstance(left, Dim) or isinstance(right, Dim)):
            return self._computed(node, lambda: BINARY[node.operator](left, right))
        sizes = [each for each in (left, right) if isinstance(each, int | Dim) and not isinstance(each, bool)]
        divides = isinstance(left, Dim) and isinstance(right, int) and not isinstance(right, bool) and right > 0
        match node.operator:
            case "+" | "-" | "*" if len(sizes) == 2:
                return {"+": left + right, "-": left - right, "*": left * right}[node.operator]
            case "//" if divides:
                return left // right
            case "%" if divides:
                return left - left // right * right
        raise _error(node, f"`{node.operator}` of a free size cannot be checked here", _FREE)

    def _comparison(self, node: Binary) -> _Truth:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(left, tuple) or isinstance(right, tuple):
            raise _error(node, "conditions cannot be compared", "join them with `and`")
        if not (_is_free(left) or _is_free(right)):
            return bool(self._computed(node, lambda: BINARY[node.operator](left, right)))
        a, b = _whole(left), _whole(right)
        if a is None or b is None:
            raise _error(node, "a free size is compared with an integer or another size only", _FREE)
        difference = a - b
        if isinstance(difference, int):
            return bool(BINARY[node.operator](difference, 0))
        match node.operator:
            case "==":
                return (Constraint(a, b),)
            case "<=":
                return (Constraint(b, a, equal=False),)
            case "<":
                return (Constraint(b, a + 1, equal=False),)
            case ">=":
                return (Constraint(a, b, equal=False),)
            case ">":
                return (Constraint(a, b + 1, equal=False),)
        raise _error(node, "`!=` of a free size cannot be checked", _FREE)


def _is_free(value: object) -> bool:
    """Return whether a value is a free size, or a shape, which has the batch."""
    return isinstance(value, Dim) or (
        isinstance(value, list) and any(item is None or isinstance(item, tuple) or _is_free(item) for item in value)
    )


def _whole(value: object) -> int | Dim | None:
    """Return a size, or an integer in place of an equal number; None for anything else."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int | Dim) and not isinstance(value, bool) else None
