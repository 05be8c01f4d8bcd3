"""Expressions of `Compute`, drawn at random: functions of the catalogue, operators and indices, with operands in scope.

An expression grows from the tensors: a function is drawn, its arguments are drawn by what its parameters take, and the result is
kept if it fits. Operands are kept in the domain of their function (``sqrt(abs(x) + 0.1)``), so that values stay finite.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from nnspec.expressions.syntax import ExpressionError, parse
from nnspec.functions.base import Function, Parameter
from nnspec.functions.catalogue import FUNCTIONS
from nnspec.functions.names import names_read
from nnspec.functions.terms import BOOL, FLOAT, INT, Term
from nnspec.functions.typing import Typing, input_term
from nnspec.types import Dim, TensorType

__all__ = ["drawn_expressions", "tensors_of"]

_LARGEST_AXIS, _LARGEST = 40, 2000
_MOST_CHARACTERS = 300

_POSITIVE = "(abs({}) + 0.1)"
_WITHIN = "(0.9 * tanh({}))"
_DOMAINS = {
    "log": _POSITIVE, "log1p": "abs({})", "sqrt": _POSITIVE, "rsqrt": "(abs({}) + 0.5)", "arcsin": _WITHIN, "arccos": _WITHIN,
    "tan": _WITHIN, **dict.fromkeys(("exp", "expm1", "sinh", "cosh", "logsumexp"), "minimum({}, 3.0)"),
    **dict.fromkeys(("norm", "normalize", "std"), "(abs({}) + 0.1)"), "prod": "(1 + 0.3 * tanh({}))", **dict.fromkeys(("sign", "floor", "ceil", "hard_shrink"), "({} + 0.123)"),
}  # fmt: skip
"""Where values are finite, errors are small, and a jump is not at 0: activations and padding have values that are 0 or rounded
to it."""

_OPERATORS = (
    "{a} + {b}", "{a} - 0.5 * {b}", "{a} * {b}", "{a} / (abs({b}) + 0.5)", "-{a}", "2 * {a}", "{a} - 1", "{a} / 4.0", "({a} + 3) // 2",
    "({a} + 1) % 3", "({a} + 0.123) // 0.7", "({a} + 0.123) % 0.7", "({a} + 1) // (abs({b}) + 2)", "({a} + 1) % (abs({b}) + 2)", "(abs({a}) + 0.2) ** 1.5", "{a} ** 2",
    "2.0 ** tanh({a})", "{a} > {b} - 0.123", "{a} <= {b} + 0.123", "{a} == {b} + 0.123", "argmax({a}, {axis}) == 1", "{a} != {b} + 0.123", "{a} >= 0.123", "{a} < 0.5", "{a} & {b}", "{a} | {b}",
    "~{a}", "{a} @ {b}", "{a} @ swapaxes({b}, -1, -2)", "{a} / {a}.shape[{axis}]", "{a} * {a}.shape[{axis}]",
    "{a}[:, {i}]", "{a}[..., {i}]", "{a}[:, {slice}]", "{a}[..., {slice}]", "{a}[:, null]", "{a}[:, ::-1]", "{a}[..., {i}, null]",
    "{a} + arange({a}.shape[-1])", "{a} + cast(arange({a}.shape[-1]), 'float32')", "{a} * linspace(0, 1, {a}.shape[-1])",
    "where({a} > 0.123, {a}, {b})", "where(mask({a}), {a}[..., 0], -1e9)", "where(expand_dims(mask({a}), -1), {a}, 0)",
    "take({a}, argmax({a}, {axis}, keepdims=true), {axis})", "take_along_axis({a}, argsort({a}, {axis}), {axis})",
    "take_along_axis({a}, argmin({a}, {axis}, keepdims=true), {axis})", "take({a}, [0, -1], {axis})",
    "one_hot(argmax({a}, {axis}), {a}.shape[{axis}])", "in_training({a} + random_normal([{a}.shape[-1]]), {a})",
    "in_training({a} * random_bernoulli([1], 0.5), {a})", "in_training({a} + random_uniform([1]), {a})", "all({a} > -0.123, {axis})",
    "tile({a}[..., null], [1, 2])", "pad({a}, [[1, 2], [0, 1]])", "pad({a}, [[2, 1]], mode='edge')",
    "isnan({a} / ({a} - {a}))", "transpose({a}, [0, 2, 1])", "ones([{a}.shape[{axis}]]) * {a}",
    "var({a} + linspace(0, 1, {a}.shape[-1]), -1)", "std({a} + cast(arange({a}.shape[-1]), 'float32'), -1)", "cast({a} > {b} + 0.123, 'int32')", "{units} * {a}",
    "full_like({a}, 0.5) * {a}", "zeros([{a}.shape[-1]]) + {a}", "cumsum(ones_like({a}), {axis}) * {a}",
)  # fmt: skip
"""Operators, indices, and functions that rarely fit by chance."""

_LEFT_OUT = frozenset(
    {"random_normal", "random_uniform", "random_bernoulli", "arange", "linspace", "zeros", "ones", "var", "std"}
)
"""Functions that only the operators above draw: constants, and what is random; of equal values, a deviation is rounding."""


@dataclass
class Expressions:
    """Tensors and what was drawn of them.

    Attributes:
        random: What decides.
        names: The tensors by name.
        params: The numbers by name.
        pool: The terms by expression.
    """

    random: Random
    names: Mapping[str, Term]
    params: Mapping[str, Any]
    pool: dict[str, Term] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pool = {**self.names, **self.pool}

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def grow(self, steps: int) -> list[str]:
        """Draw terms; returns the expressions of those that were kept, in order."""
        kept: list[str] = []
        for _ in range(steps * 12):
            if len(kept) == steps:
                break
            text = self._operator() if self.chance(0.4) else self._function()
            if text is None or len(text) > _MOST_CHARACTERS or text in self.pool:
                continue
            term = self._typed(text)
            if term is not None:
                self.pool[text] = term
                kept.append(text)
        return kept

    def _typed(self, text: str) -> Term | None:
        """The term of an expression; None if it does not fit, or is too large."""
        try:
            term = Typing(dict(self.names), self.params).result(text)
        except ExpressionError:
            return None
        sizes = [size if isinstance(size, int) else 8 for size in term.shape[1:]]
        count = 1
        for size in sizes:
            count *= size
        fits = term.rank <= 6 and all(0 < size <= _LARGEST_AXIS for size in sizes) and 0 < count <= _LARGEST
        return term if fits else None

    # --- operands -------------------------------------------------------------------------------------------------------

    def _pick(self, fits: Callable[[Term], bool] = lambda term: True) -> str | None:
        """An expression that fits; mostly a late one."""
        found = [text for text, term in self.pool.items() if fits(term)]
        if not found:
            return None
        return found[-1] if self.chance(0.4) else self.random.choice(found)

    def _like(self, text: str) -> str:
        """Another operand for an operator: of the same number of axes and dtype, or a number."""
        first = self.pool[text]
        if self.chance(0.2):
            return self.random.choice(["0.5", "2", "1.25", "-1", "[0.5]"] if first.dtype == FLOAT else ["2", "1", "3"])
        return self._pick(lambda term: term.rank == first.rank and term.dtype == first.dtype) or text

    def _inside(self, text: str) -> str:
        """An expression as an operand."""
        return text if text in self.names or (text.endswith(")") and text.partition("(")[0].isidentifier()) else f"({text})"

    def _operator(self) -> str | None:
        template = self.random.choice(_OPERATORS)
        a = self._pick()
        if a is None or ("{units}" in template and not self.params):
            return None
        rank = self.pool[a].rank
        axis = self.random.randint(1, rank - 1) if rank > 1 else 1
        start = self.random.choice(["", "1", "-2", "0", "2"])
        part = f"{start}:{self.random.choice(['', '-1', '2', '3'])}"
        given = {"axis": axis, "i": self.random.choice([0, 1, -1, -2]), "slice": part}
        operands = {"a": self._inside(a), "b": self._inside(self._like(a)), "units": next(iter(self.params), "")}
        return template.format(**given, **operands)

    def _function(self) -> str | None:
        function = self.random.choice([each for name, each in FUNCTIONS.items() if name not in _LEFT_OUT])
        if function.name == "einsum":
            return self._einsum()
        first: str | None = None
        arguments: list[str] = []
        by_name = False
        for parameter in function.parameters:
            if not parameter.is_required and self.chance(0.6):
                continue
            text = self._argument(function, parameter, first)
            if text is None:
                return None
            if first is None and parameter.kind == "tensor":
                first = text
                text = _DOMAINS.get(function.name, "{}").format(text)
            in_order = len(arguments) == function.parameters.index(parameter) and not by_name
            by_name = by_name or not in_order or self.chance(0.3)
            arguments.append(f"{parameter.name}={text}" if by_name else text)
        if function.name == "cast" and first is not None and self.pool[first].dtype == FLOAT:
            arguments[0] = arguments[0].replace(first, f"({first} + 0.123)", 1)
        text = f"{function.name}({', '.join(arguments)})"
        return text + (f"[{self.random.randint(0, 1)}]" if function.name == "top_k" else "")

    def _argument(self, function: Function, parameter: Parameter, first: str | None) -> str | None:
        x = self.pool.get(first) if first is not None else None
        rank = x.rank if x is not None else 3
        random = self.random
        match parameter.kind:
            case "tensor" if parameter.name == "condition":
                return self._pick(lambda term: term.dtype == BOOL)
            case "tensor" if parameter.name in ("indices", "x") and function.name in ("take", "take_along_axis", "one_hot"):
                wanted = FLOAT if parameter.name == "x" and function.name != "one_hot" else INT
                found = self._pick(lambda term: term.dtype == wanted)
                return f"clip({found}, 0, 1)" if found and wanted == INT else found
            case "tensor" if function.name in ("any", "all"):
                return self._pick(lambda term: term.dtype == BOOL)
            case "tensor" if first is None:
                return self._pick(lambda term: term.dtype == FLOAT) if self.chance(0.85) else self._pick()
            case "tensor" if parameter.name in ("x_min", "fill_value", "constant_values"):
                return random.choice(["0", "-1", "-0.5"])
            case "tensor" if parameter.name == "x_max":
                return random.choice(["1", "2", "1.5"])
            case "tensor":
                return self._like(first) if first in self.pool else first
            case "tensors":
                one = self._pick(lambda term: term.dtype == FLOAT) or self._pick()
                if one is None:
                    return None
                listed = [one, *(self._like(one) for _ in range(random.randint(0, 2)))]
                return f"[{', '.join(listed)}]"
            case "axis":
                return str(self._axis(rank))
            case "axes" if parameter.name == "axes":
                order = list(range(1, rank))
                random.shuffle(order)
                return str([0, *order])
            case "axes" if function.name == "roll":
                return str(self._axis(rank))
            case "axes":
                many = random.sample(range(1, rank), min(rank - 1, random.randint(1, 2))) if rank > 1 else [1]
                return str(many) if self.chance(0.3) else str(self._axis(rank))
            case "int":
                return str(random.choice([1, 1, 2, 3, -1]))
            case "ints" if function.name == "roll":
                return str(random.choice([1, 2, -1]))
            case "ints":
                return str([[random.randint(0, 2), random.randint(0, 2)] for _ in range(rank - 1)])
            case "size":
                return self._size(x, first) if self.chance(0.5) else str(random.randint(1, 5))
            case "sizes":
                return self._sizes(function, x, first)
            case "bool":
                return random.choice(["true", "false"])
            case "text" if parameter.name == "dtype":
                return random.choice(["'float32'", "'int32'", "'bool'"])
            case "text":
                return random.choice(["'constant'", "'reflect'", "'symmetric'", "'edge'"])
            case "number":
                return random.choice(["1", "2"])
        return None

    def _axis(self, rank: int) -> int:
        axis = self.random.randint(1, max(1, rank - 1))
        return axis - rank if self.chance(0.4) else axis

    def _size(self, x: Term | None, text: str | None) -> str:
        if x is None or text is None or x.rank < 2:
            return str(self.random.randint(1, 4))
        return f"{self._inside(text)}.shape[{self.random.randint(1, x.rank - 1)}]"

    def _sizes(self, function: Function, x: Term | None, text: str | None) -> str | None:
        """A new shape: the sizes of the tensor in an order, some of them joined."""
        if x is None or text is None:
            return None
        if function.name == "tile":
            return str([self.random.choice([1, 1, 2]) for _ in range(x.rank - 1)])
        own = [
            str(size) if isinstance(size, int) and self.chance(0.7) else f"{self._inside(text)}.shape[{axis}]"
            for axis, size in enumerate(x.shape[1:], 1)
        ]
        if function.name == "broadcast_to":
            own = [self.random.choice(["2", "3"]) if size == 1 else given for size, given in zip(x.shape[1:], own, strict=True)]
        elif self.chance(0.4) and len(own) > 1:
            own = ["-1", *own[2:]] if self.chance(0.5) else [f"{own[0]} * {own[1]}", *own[2:]]
        elif self.chance(0.4):
            own.insert(self.random.randint(0, len(own)), "1")
        return f"[{', '.join(own)}]"

    def _einsum(self) -> str | None:
        a = self._pick(lambda term: term.dtype == FLOAT and 2 <= term.rank <= 4)
        if a is None:
            return None
        left = self.pool[a]
        letters = {axis: "bcdefgh"[axis] for axis in range(1, left.rank)}
        operands, terms = [a], ["a" + "".join(letters.values())]
        known: dict[int | Dim, str] = {left.shape[axis]: letter for axis, letter in letters.items()}
        if self.chance(0.7):
            b = self._pick(lambda term: term.dtype == FLOAT and 2 <= term.rank <= 4)
            assert b is not None
            fresh = iter("mnop")
            names = [known.get(size, "") or next(fresh) for size in self.pool[b].shape[1:]]
            if len(set(names)) < len(names):
                return None
            operands.append(b)
            terms.append("a" + "".join(names))
        used = list(dict.fromkeys("".join(terms)))[1:]
        chosen = self.random.sample(used, self.random.randint(0, min(3, len(used))))
        return f"einsum('{','.join(terms)}->a{''.join(chosen)}', {', '.join(operands)})"


def drawn_expressions(
    random: Random, types: Mapping[str, TensorType], params: Mapping[str, Any], *, first: str = "y"
) -> dict[str, str] | None:
    """The results of a `Compute` step, each with its expression; None if none was found.

    Args:
        random: What decides.
        types: The tensors in scope.
        params: The params in scope.
        first: The name of the first result.
    """
    numbers = {name: value for name, value in params.items() if isinstance(value, int | float) and name not in types}
    names = {
        name: input_term(name, type.shape, type.dtype, mask=None if type.mask is None else len(type.mask))
        for name, type in types.items()
    }
    results: dict[str, str] = {}
    for result in [first, "second"][: random.choice([1, 1, 1, 2])]:
        drawing = Expressions(random, names, numbers)
        grown = drawing.grow(random.randint(1, 5))
        if not grown:
            continue
        text = grown[-1]
        term = drawing.pool[text]
        if term.dtype != FLOAT and random.random() < 0.7:
            text = f"cast({text}, 'float32')"
        results[result] = text
        names = {**names, result: Typing(dict(names), numbers).result(text)}
    return results or None


def tensors_of(results: Mapping[str, str], names: Mapping[str, Any]) -> list[str]:
    """The tensors that expressions read, in the order in which a `Compute` layer takes them."""
    found: dict[str, None] = {}
    for text in results.values():
        found |= dict.fromkeys(name for name in names_read(parse(text, tensors=True)) if name in names)
    return list(found)
