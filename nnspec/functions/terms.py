"""Typed values of an expression, and what computes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from nnspec.types import Dim, size_text, symbol

if TYPE_CHECKING:
    from nnspec.functions.base import Function

__all__ = ["BATCH", "BOOL", "FLOAT", "INT", "Application", "Input", "Literal", "Number", "Sizes", "Term", "in_order"]

BATCH = symbol("(batch)")
"""The size of the batch axis; no symbol of a spec has this name."""
assert isinstance(BATCH, Dim)

FLOAT, INT, BOOL = "float", "int32", "bool"
"""The dtypes of terms. A float has the compute dtype of its layer."""

Number = int | float | bool
Sizes = tuple[int | Dim, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Input:
    """A tensor that the expression reads."""

    name: str


@dataclass(frozen=True, eq=False, slots=True)
class Literal:
    """A number, or nested lists of numbers as tuples."""

    value: Any


@dataclass(frozen=True, eq=False, slots=True)
class Application:
    """A function applied to operands.

    Attributes:
        function: The function.
        operands: The tensors that it takes.
        arguments: Its other arguments by name; sizes are terms.
        results: The types of its results: shape and dtype.
    """

    function: Function
    operands: tuple[Term, ...]
    arguments: Mapping[str, Any]
    results: tuple[tuple[Sizes, str], ...]

    def __getitem__(self, argument: str) -> Any:
        return self.arguments[argument]

    @property
    def shape(self) -> Sizes:
        """The complete shape of the first result."""
        return self.results[0][0]

    @property
    def dtype(self) -> str:
        """The dtype of the first result."""
        return self.results[0][1]

    @property
    def is_discontinuous(self) -> bool:
        """Whether a tiny change of an input can change a result by more than that."""
        jumps = self.function.is_discontinuous and not (self.function.name == "cast" and self.dtype == FLOAT)
        return jumps and any(operand.dtype == FLOAT and operand.axes for operand in self.operands)

    def reads(self, *, in_training: bool = True) -> Iterator[Term]:
        """Yield the terms that it needs, in training or otherwise: operands, and sizes among its arguments."""
        yield from self.operands if in_training or self.function.name != "in_training" else self.operands[1:]
        for value in self.arguments.values():
            for each in value if isinstance(value, tuple) else (value,):
                if isinstance(each, Term):
                    yield each


@dataclass(frozen=True, eq=False, slots=True)
class Term:
    """A typed value of an expression.

    Attributes:
        shape: Its complete shape; the first size is `BATCH` unless it is a constant, which all examples share.
        dtype: Its dtype.
        origin: What computes it.
        at: Its position in the expression.
        part: Which result of its application it is.
        weak: Whether it takes the dtype of what it is combined with: numbers, lists of numbers, sizes.
        value: Its value if it is a number that is known before any input; a size may be symbolic.
        axes: For each input that it depends on, the axis of the input that each of its axes preserves, or None.
        masks: The inputs whose masks apply to it, with the number of axes of each mask.
        dropped: The inputs whose masks were dropped on the way.
        sizes: The axes of inputs whose size it depends on.
    """

    shape: Sizes
    dtype: str
    origin: Input | Literal | Application
    at: tuple[int, int]
    part: int = 0
    weak: bool = False
    value: Number | Dim | None = None
    axes: Mapping[str, tuple[int | None, ...]] = field(default_factory=dict)
    masks: Mapping[str, int] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    sizes: frozenset[tuple[str, int]] = frozenset()

    @property
    def rank(self) -> int:
        """The number of axes, the batch included."""
        return len(self.shape)

    @property
    def is_batched(self) -> bool:
        """Whether each example has its own value."""
        return bool(self.shape) and self.shape[0] == BATCH

    @property
    def is_number(self) -> bool:
        """Whether it is a single number that all examples share."""
        return not self.shape

    @property
    def is_static(self) -> bool:
        """Whether it is a number that is known before any input."""
        return isinstance(self.value, int | float)

    def placed(self, at: tuple[int, int]) -> Term:
        """Return it at another position."""
        return replace(self, at=at)

    def __str__(self) -> str:
        """Its shape as the language writes it, without the batch axis."""
        # In a program the batch is an ordinary axis, so what reads a tensor is no constant either.
        kind = "" if self.is_batched or self.is_number or self.axes else "constant "
        shape = self.shape[1:] if self.is_batched else self.shape
        sizes = ", ".join(size_text(size) for size in shape)
        return "a number" if self.is_number else f"{kind}({sizes}{',' if len(shape) == 1 else ''})"


def combined_axes(operands: Sequence[Term], kept: Sequence[Sequence[int | None]]) -> dict[str, tuple[int | None, ...]]:
    """The input axis that each result axis preserves, for each input.

    Args:
        operands: The operands.
        kept: For each operand and each axis of the result, the axis of the operand that it preserves, or None.
    """
    found: dict[str, tuple[int | None, ...]] = {}
    for operand, its in zip(operands, kept, strict=True):
        for name, axes in operand.axes.items():
            own = tuple(None if axis is None else axes[axis] for axis in its)
            known = found.setdefault(name, own)
            found[name] = tuple(a if a == b else None for a, b in zip(known, own, strict=True))
    return found


def combined_masks(operands: Sequence[Term], kept: Sequence[Sequence[int | None]]) -> tuple[dict[str, int], frozenset[str]]:
    """The masks that apply to the result, and the inputs whose masks are dropped."""
    masks: dict[str, int] = {}
    dropped: set[str] = set()
    for operand, its in zip(operands, kept, strict=True):
        dropped |= operand.dropped
        for name, count in operand.masks.items():
            if len(its) > count and all(its[axis] == axis for axis in range(count + 1)):
                masks[name] = count
            else:
                dropped.add(name)
    return masks, frozenset(dropped)


def in_order(results: Iterable[Term], *, in_training: bool = True) -> list[Term]:
    """All terms that results need, in training or otherwise, each after those that it needs.

    It does not recurse, as a sum may have many operands.
    """
    found: dict[int, Term] = {}
    for result in results:
        stack = [(result, False)]
        while stack:
            term, ready = stack.pop()
            if id(term) in found:
                continue
            if ready or not isinstance(term.origin, Application):
                found[id(term)] = term
                continue
            stack.append((term, True))
            stack.extend((each, False) for each in term.origin.reads(in_training=in_training) if id(each) not in found)
    return list(found.values())
