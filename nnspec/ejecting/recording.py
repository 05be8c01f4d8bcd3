"""Recording of what a function computes with ``keras.ops``, as Python code.

The function runs on tensors inside [`Value`][]: every operation is computed and recorded. Sizes that are known stay numbers.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Iterable, Sequence
from types import EllipsisType
from typing import Any

import keras
import numpy as np

from nnspec.ejecting.layout import Code, call, flat, literal, statement, structure
from nnspec.ejecting.names import Names

__all__ = ["Namespace", "Text", "Value", "statements"]

_BESIDE = frozenset(
    {"add", "subtract", "multiply", "divide", "floor_divide", "mod", "power", "maximum", "minimum"}
    | {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}
)
"""Functions in which a number takes the dtype of the tensor beside it."""


class Text(str):
    """A text that code names, such as ``self.compute_dtype``, with its value now."""

    code: str

    def __new__(cls, value: str, code: str) -> Text:
        found = super().__new__(cls, value)
        found.code = code
        return found


class Value:
    """A tensor and the code that computes it.

    Args:
        real: The tensor.
        parts: The code, in which values are other recorded values: a name, or the name of a function and its arguments.
        wanted: The function that computes it, or with `is_named` the name that a variable with it should have.
    """

    __array_priority__ = 1000  # NumPy's arrays leave operators to this class

    def __init__(self, real: Any, parts: tuple[Any, ...], wanted: str = "") -> None:
        self.real, self.parts, self.wanted = real, parts, wanted
        self.is_named = False

    @property
    def shape(self) -> Any:
        return self.real.shape

    @property
    def dtype(self) -> Any:
        return self.real.dtype

    def __getitem__(self, index: Any) -> Value:
        return Value(self.real[_real(index)], ("[]", self, index))

    def __iter__(self) -> Any:
        raise TypeError("a tensor is not iterable here")

    def __bool__(self) -> bool:
        raise TypeError("the value of a tensor is not known here")


def _operator(symbol: str, swapped: bool) -> Any:
    names = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod", "**": "pow"}
    names |= {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
    compute = getattr(operator, names[symbol])

    def apply(self: Value, other: Any) -> Value:
        left, right = (other, self) if swapped else (self, other)
        return Value(compute(_real(left), _real(right)), (symbol, left, right))

    return f"__{'r' if swapped else ''}{names[symbol]}__", apply


for _symbol in ("+", "-", "*", "/", "//", "%", "**"):
    for _swapped in (False, True):
        setattr(Value, *_operator(_symbol, _swapped))
for _symbol in ("<", "<=", ">", ">="):
    setattr(Value, *_operator(_symbol, False))


class Namespace:
    """A module of Keras whose functions are recorded.

    Args:
        module: The module.
        name: Its name in code.
    """

    def __init__(self, module: Any, name: str) -> None:
        self._module, self._name = module, name

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._module, name)

        def record(*arguments: Any, **named: Any) -> Any:
            if isinstance(axis := named.get("axis"), tuple) and len(axis) == 1:
                named["axis"] = axis[0]
            named = {key: value for key, value in named.items() if not _is_default(function, key, value)}
            found = function(*_real(arguments), **_real(named))
            if self._name == "ops" and name == "shape":
                return _sizes(arguments[0], found)
            if self._name == "ops" and name == "cast" and _is_same_dtype(arguments[0], found):
                return arguments[0]
            whole = Value(found, (f"{self._name}.{name}", arguments, named), wanted=name)
            if isinstance(found, tuple | list):
                return tuple(Value(each, ("[]", whole, place), wanted=name) for place, each in enumerate(found))
            return whole

        return record


def _is_default(function: Any, name: str, value: Any) -> bool:
    parameter = inspect.signature(function).parameters.get(name)
    return parameter is not None and type(value) is type(parameter.default) and bool(value == parameter.default)


def _is_same_dtype(value: Any, found: Any) -> bool:
    same = isinstance(value, Value) and keras.backend.standardize_dtype(value.dtype)
    return bool(same) and same == keras.backend.standardize_dtype(found.dtype)


def _sizes(x: Any, found: Sequence[Any]) -> tuple[Any, ...]:
    shape = Value(found, ("ops.shape", (x,), {}), wanted="shape")
    return tuple(
        size if isinstance(size, int) else Value(size, ("[]", shape, place), wanted="size") for place, size in enumerate(found)
    )


def _real(value: Any) -> Any:
    """A value, or nested values, without the recordings."""
    if isinstance(value, Value):
        return value.real
    if isinstance(value, tuple | list):
        return type(value)(_real(each) for each in value)
    if isinstance(value, dict):
        return {name: _real(each) for name, each in value.items()}
    if isinstance(value, slice):
        return slice(_real(value.start), _real(value.stop), _real(value.step))
    return value


# --- code -----------------------------------------------------------------------------------------------------------------

_STEP, _OPERAND = 90, 40
"""A value with longer code gets a variable; an operand of an operator does earlier, as it is not broken over lines."""


def statements(results: Sequence[Value], names: Names, indent: int) -> tuple[list[str], list[Code]]:
    """The statements that compute values, and the expression of each.

    Args:
        results: The values.
        names: The names of the scope.
        indent: The number of spaces before each statement.
    """
    order = _in_order(results)
    uses: dict[int, int] = {}
    for value in order:
        for each in _values(value.parts):
            uses[id(each)] = uses.get(id(each), 0) + 1
    operands = {id(each) for value in order if value.parts[0] == "[]" or _is_operator(value) for each in _values(value.parts)}
    known: dict[int, Code] = {}
    lines = []
    for value in order:
        code = _code(value, known)
        used, is_result = uses.get(id(value), 0), any(value is each for each in results)
        often = used > 1 or (is_result and used > 0)
        too_long = len(flat(code)) > (_OPERAND if id(value) in operands else _STEP) and not is_result
        if value.parts[0] != "name" and not _is_constant(value) and (often or too_long):
            name = names.new(value.wanted) if value.is_named else names.numbered(value.wanted or "part")
            lines.append(statement(f"{name} = ", code, indent))
            code = name
        known[id(value)] = code
    return lines, [known[id(value)] for value in results]


def _in_order(results: Iterable[Value]) -> list[Value]:
    """All values, each after those that it needs."""
    found: dict[int, Value] = {}
    stack = [(value, False) for value in reversed(list(results))]
    while stack:
        value, ready = stack.pop()
        if id(value) in found:
            continue
        if ready:
            found[id(value)] = value
            continue
        stack.append((value, True))
        stack.extend((each, False) for each in reversed(list(_values(value.parts))) if id(each) not in found)
    return list(found.values())


def _values(part: Any) -> Iterable[Value]:
    if isinstance(part, Value):
        yield part
    elif isinstance(part, tuple | list):
        for each in part:
            yield from _values(each)
    elif isinstance(part, dict):
        yield from _values(tuple(part.values()))
    elif isinstance(part, slice):
        yield from _values((part.start, part.stop, part.step))


def _is_constant(value: Any) -> bool:
    """Whether it is a number as a tensor."""
    if not isinstance(value, Value):
        return False
    function, *rest = value.parts
    return function == "ops.convert_to_tensor" and np.ndim(rest[0][0]) == 0 and not isinstance(rest[0][0], Value)


def _is_operator(value: Value) -> bool:
    return not value.parts[0][0].isalpha() and value.parts[0] != "[]"


def _code(value: Value, known: dict[int, Code]) -> Code:
    function, *rest = value.parts

    def leaf(part: Any) -> Code:
        if isinstance(part, Value):
            return known[id(part)]
        if isinstance(part, Text):
            return part.code
        if isinstance(part, np.ndarray):
            return structure(part.tolist(), literal)
        if isinstance(part, range):
            return literal(list(part))
        return literal(part)

    def code(part: Any) -> Code:
        return structure(part, leaf)

    if function == "name":
        return str(rest[0])
    if function == "[]":
        return f"{_operand(known[id(rest[0])])}[{_index(rest[1], code)}]"
    if _is_operator(value):
        return _Infix(f"{_operand(code(rest[0]))} {function} {_operand(code(rest[1]))}")
    arguments, named = rest
    name = function.partition(".")[2]
    first = 1 if name == "where" else 0  # its condition
    beside = arguments[first:] if name == "where" or name in _BESIDE else ()
    if all(_is_constant(each) for each in beside if isinstance(each, Value)):
        beside = ()
    shown = [
        literal(_number(each)) if any(each is other for other in beside) and _is_constant(each) else code(each)
        for each in arguments
    ]
    return call(function, shown, {key: code(each) for key, each in named.items()})


def _number(value: Value) -> Any:
    found = np.asarray(value.parts[1][0]).item()
    dtype = keras.backend.standardize_dtype(value.dtype)
    return float(found) if "float" in dtype else found


class _Infix(str):
    """An operator with its operands."""


def _operand(code: Code) -> str:
    """An operand, in parentheses if needed."""
    return f"({code})" if isinstance(code, _Infix) or (isinstance(code, str) and code[:1] == "-") else flat(code)


def _index(index: Any, code: Any) -> str:
    def one(part: Any) -> str:
        if isinstance(part, slice):
            ends = [part.start, part.stop, *([part.step] if part.step is not None else [])]
            return ":".join("" if each is None else flat(code(each)) for each in ends)
        return "..." if isinstance(part, EllipsisType) else flat(code(part))

    if isinstance(index, tuple) and index:
        return ", ".join(map(one, index)) + ("," if len(index) == 1 else "")
    return one(index)
