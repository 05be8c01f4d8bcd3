"""What a function of tensor expressions is: its signature, type rule, lowerings and proof cases."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from nnspec.expressions.syntax import ExpressionError
from nnspec.functions.terms import (
    BATCH,
    BOOL,
    FLOAT,
    INT,
    Application,
    Literal,
    Sizes,
    Term,
    combined_axes,
    combined_masks,
)
from nnspec.types import Dim, same_size, size_text
from nnspec.types.dims import largest_term

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["NAMES", "Call", "Case", "Context", "Function", "Parameter", "expanded", "parameters"]

NAMES = {FLOAT: "a float", INT: "an integer", BOOL: "a bool"}
"""How messages name the dtypes of tensors."""

_REQUIRED: Any = object()


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a function.

    Attributes:
        name: Its name.
        kind: What it takes: ``tensor``, ``tensors`` (a list), ``axis``, ``axes`` (an axis or a list), ``int``, ``size``,
            ``sizes`` (a list), ``bool``, ``text``, ``number``, ``any`` (whatever is written).
        default: Its default.
    """

    name: str
    kind: str
    default: Any = _REQUIRED

    @property
    def is_required(self) -> bool:
        return self.default is _REQUIRED

    @property
    def default_text(self) -> str:
        """The default as an expression writes it."""
        if self.default is None or isinstance(self.default, bool):
            return {None: "null", True: "true", False: "false"}[self.default]
        return repr(self.default)


_PARAMETER = re.compile(r"(\w+)(?:: (\w+))?(?: = (.+))?")
_VALUES = {"None": None, "True": True, "False": False}


def parameters(signature: str) -> tuple[Parameter, ...]:
    """Read a signature.

    Example:
        >>> [parameter.kind for parameter in parameters("x, axis: axes, keepdims: bool = False")]
        ['tensor', 'axes', 'bool']
    """
    found = []
    for text in filter(None, signature.split(", ")):
        match = _PARAMETER.fullmatch(text)
        assert match is not None, text
        name, kind, default = match.groups()
        value = _REQUIRED
        if default is not None:
            value = _VALUES[default] if default in _VALUES else default if default.isidentifier() else float(default)
            value = int(value) if isinstance(value, float) and value.is_integer() and "." not in default else value
        found.append(Parameter(name, kind or "tensor", value))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Case:
    """A case of the four-way proof: an expression and the arrays that it reads, with the batch axis."""

    text: str
    inputs: Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Function:
    """A function of tensor expressions.

    Attributes:
        name: Its name.
        parameters: Its parameters.
        rule: Its type rule: returns the term, or the terms, that a call computes.
        numpy: Computes it with NumPy: ``numpy(n, application, *arrays)``.
        keras: Computes it with ``keras.ops``: ``keras(k, application, *tensors)``; see ``keras_backend.layers.compute``.
        onnx: Writes it into an ONNX graph: ``onnx(b, application, *names)``; see ``onnx_backend.lower.compute``.
        draw: Draws a case of its four-way proof.
        summary: What it computes, in one sentence.
        is_discontinuous: Whether a tiny change of its operands can change its result by more than that.
        has_gradient: Whether a gradient passes it; False if its gradient is 0 everywhere.
    """

    name: str
    parameters: tuple[Parameter, ...]
    rule: Callable[[Call], Term | tuple[Term, ...]]
    numpy: Callable[..., Any]
    keras: Callable[..., Any]
    onnx: Callable[..., Any]
    draw: Callable[[np.random.Generator], Case]
    summary: str
    is_discontinuous: bool = False
    has_gradient: bool = True

    @property
    def signature(self) -> str:
        """How a call is written, such as ``sum(x, axis, keepdims=false)``."""

        def shown(parameter: Parameter) -> str:
            if parameter.is_required:
                return parameter.name
            return f"{parameter.name}={parameter.default_text}"

        return f"{self.name}({', '.join(map(shown, self.parameters))})"


@dataclass(slots=True)
class Context:
    """What the type rules of one layer find out besides the types.

    Attributes:
        equal: Pairs of sizes that must be equal.
        positive: Sizes that must be at least 1.
    """

    equal: list[tuple[int | Dim, int | Dim]] = field(default_factory=list)
    positive: list[int | Dim] = field(default_factory=list)

    def bound(self, size: Dim) -> None:
        """Require that a size is a 32-bit integer, if it can be anything else.

        An axis, and different axes together, have at most 2**24 positions here; the size of a larger one is no float32.
        """
        if largest_term(size, 2**24) >= 2**31:
            self.positive += [2**31 - size, 2**31 + size]


@dataclass(frozen=True)
class Call:
    """A call of a function, with its arguments bound.

    Attributes:
        function: The function.
        arguments: The arguments by parameter: terms for tensors and sizes, plain values for the rest.
        at: Its position in the expression.
        places: The position of each argument.
        context: Where constraints on sizes are collected.
        name: How messages name it; by default by its function.
    """

    function: Function
    arguments: Mapping[str, Any]
    at: tuple[int, int]
    places: Mapping[str, tuple[int, int]]
    context: Context
    shown: str = ""

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    @property
    def name(self) -> str:
        """How messages name it."""
        return f"`{self.shown or self.function.name}`"

    def error(self, message: str, help: str = "", *, at: str | Term | None = None) -> ExpressionError:
        """An error at an argument, at a term, or at the whole call."""
        place = at.at if isinstance(at, Term) else self.places.get(at, self.at) if at else self.at
        return ExpressionError(message, *place, help=help)

    # --- operands -----------------------------------------------------------------------------------------------------

    def floats(self, name: str) -> Term:
        """The float tensor of a parameter.

        Raises:
            ExpressionError: If it has another dtype.
        """
        x: Term = self[name]
        if x.weak and x.dtype == INT:
            return cast(x, FLOAT)
        if x.dtype != FLOAT:
            raise self.error(
                f"{self.name} takes a float tensor, not {NAMES[x.dtype]} tensor", "write `cast(…, 'float32')`", at=x
            )
        return x

    def numeric(self, name: str) -> Term:
        """The float or integer tensor of a parameter.

        Raises:
            ExpressionError: If it is a bool.
        """
        x: Term = self[name]
        if x.dtype == BOOL:
            raise self.error(f"{self.name} takes numbers, not bools", "write `cast(…, 'float32')`", at=x)
        return x

    def unified(self, *terms: Term) -> tuple[Term, ...]:
        """Give terms a common dtype: numbers take that of tensors; tensors must have the same one.

        Raises:
            ExpressionError: If dtypes differ.
        """
        strong = [term for term in terms if not term.weak]
        order = (BOOL, INT, FLOAT)
        wanted = strong[0].dtype if strong else max((term.dtype for term in terms), key=order.index)
        for term in terms:
            fits = term.dtype == wanted or (term.weak and term.dtype == INT and wanted == FLOAT)
            if not fits:
                first = next(each for each in (*strong, *terms) if each.dtype == wanted)
                into = {FLOAT: "'float32'", INT: "'int32'", BOOL: "'bool'"}
                target = wanted if order.index(wanted) > order.index(term.dtype) else term.dtype
                raise self.error(
                    f"{self.name} combines {NAMES[first.dtype]} and {NAMES[term.dtype]}",
                    f"write `cast(…, {into[target]})`",
                    at=term if target == wanted else first,
                )
        return tuple(cast(term, wanted) for term in terms)

    def broadcast(self, *terms: Term) -> tuple[Sizes, list[tuple[int | None, ...]]]:
        """The common shape of terms, and the axes that each preserves.

        Tensors have equal rank; a constant has the rank of an example and is broadcast over the batch; a number combines
        with anything. Sizes are equal, or 1.

        Raises:
            ExpressionError: If shapes do not fit.
        """
        shaped = [term for term in terms if not term.is_number]
        batched = [term for term in shaped if term.is_batched]
        rank = (batched or shaped or terms)[0].rank
        shape: list[int | Dim] = [1] * rank
        if batched:
            shape[0] = BATCH
        for term in shaped:
            lead = 1 if batched and not term.is_batched else 0
            if term.rank + lead != rank:
                raise self._ranks((batched or shaped)[0], term)
            for axis, size in enumerate(term.shape):
                shape[axis + lead] = self.same(shape[axis + lead], size, term, one=True)
        return tuple(shape), [kept_by(term, shape) for term in terms]

    def _ranks(self, first: Term, other: Term) -> ExpressionError:
        longer, shorter = (first, other) if first.rank > other.rank else (other, first)
        if longer.is_batched and not shorter.is_batched and shorter.rank > longer.rank - 1:
            longer, shorter = shorter, longer
        help = f"write `{expanded(shorter, longer)}`"
        return self.error(f"{self.name} combines {first} and {other}, which differ in the number of axes", help, at=shorter)

    def same(self, a: int | Dim, b: int | Dim, at: Term | str | None = None, *, one: bool = False) -> int | Dim:
        """The common size of two axes; symbolic sizes become a constraint.

        Args:
            a: A size.
            b: Another size.
            at: Where an error is shown.
            one: Whether a size of 1 is broadcast.

        Raises:
            ExpressionError: If the sizes differ.
        """
        if one and (a == 1 or b == 1):
            return b if a == 1 else a
        equal = same_size(a, b)
        if equal is False or (BATCH in (a, b) and a != b):
            raise self.error(f"{self.name} needs equal sizes, got {size_text(a)} and {size_text(b)}", at=at)
        if equal is None:
            self.context.equal.append((a, b))
        return b if isinstance(b, int) else a

    # --- static arguments ---------------------------------------------------------------------------------------------

    def axis(self, name: str, x: Term, *, extra: int = 0) -> int:
        """An axis of a tensor, as a position from 0.

        Args:
            name: The parameter.
            x: The tensor.
            extra: The number of axes that are added to it.

        Raises:
            ExpressionError: If the tensor has no such axis, or it is the batch axis.
        """
        return self._axis(self[name], name, x, extra)

    def axes(self, name: str, x: Term, *, extra: int = 0) -> tuple[int, ...]:
        """Axes of a tensor, as positions from 0, in order."""
        return tuple(sorted(self.axes_as_written(name, x, extra=extra)))

    def axes_as_written(self, name: str, x: Term, *, extra: int = 0) -> list[int]:
        """Axes of a tensor, as positions from 0."""
        given = self[name]
        found = [self._axis(each, name, x, extra) for each in (given if isinstance(given, list | tuple) else [given])]
        if not found:
            raise self.error(f"{self.name} names no axis", f"write `{x.rank - 1}` for the last axis", at=name)
        if len(set(found)) < len(found):
            raise self.error(f"{self.name} names an axis twice", f"write `{sorted(set(found))}`", at=name)
        return found

    def last_axis(self, name: str, x: Term) -> int:
        """The last axis of a tensor, the value of a parameter, as a position from 0."""
        return self._axis(-1, name, x, 0)

    def _axis(self, given: int, name: str, x: Term, extra: int) -> int:
        rank = x.rank + extra
        if x.is_batched and rank == 1:
            message = f"{self.name} needs an axis, but this tensor is one number per example"
            raise self.error(message, "write `expand_dims(…, 1)` to add one", at=x)
        axis = given if given >= 0 else given + rank
        first = 1 if x.is_batched else 0
        if x.is_batched and axis == 0:
            what = "axis 0 is the batch axis" if given == 0 else f"axis {given} of {x} is the batch axis"
            use = f"use an axis from 1 to {rank - 1}" if rank > 2 else "write `1`"
            if any(parameter.name == "keepdims" for parameter in self.function.parameters):
                instead = "is a step of a training program, `train.objective.program`"
                use += f"; a {self.function.name} of all examples of a batch {instead}"
            raise self.error(f"{what}: {self.name} describes one example", use, at=name)
        if not first <= axis < rank:
            known = f"the axes of {x} are {first} to {rank - 1}" if rank > first else f"{x} has no axis"
            raise self.error(f"{self.name} got the axis {given}, but {known}", "use one of these axes", at=name)
        return axis

    # --- results ------------------------------------------------------------------------------------------------------

    def result(
        self,
        shape: Sequence[int | Dim],
        dtype: str,
        operands: Sequence[Term],
        kept: Sequence[Sequence[int | None]],
        **arguments: Any,
    ) -> Term:
        """The term that the call computes.

        Args:
            shape: Its complete shape.
            dtype: Its dtype.
            operands: The tensors that it takes.
            kept: For each operand and each axis of the result, the axis of the operand that it preserves, or None.
            **arguments: The arguments that its lowerings read.
        """
        return self.results([(shape, dtype, kept)], operands, **arguments)[0]

    def results(
        self,
        types: Sequence[tuple[Sequence[int | Dim], str, Sequence[Sequence[int | None]]]],
        operands: Sequence[Term],
        **arguments: Any,
    ) -> tuple[Term, ...]:
        """The terms that the call computes, if it has several results; see [`result`][]."""
        for term in operands:
            if term.dtype == INT and isinstance(term.value, int) and not -(2**31) <= term.value < 2**31:
                raise self.error(f"{term.value} is not a 32-bit integer", "integer tensors are int32", at=term)
        application = Application(
            self.function, tuple(operands), arguments, tuple((tuple(shape), dtype) for shape, dtype, _ in types)
        )
        read = list(application.reads())
        sizes = frozenset().union(*(term.sizes for term in read))
        found = []
        for part, (shape, dtype, kept) in enumerate(types):
            masks, dropped = combined_masks(operands, kept)
            axes = combined_axes(operands, kept)
            found.append(
                Term(tuple(shape), dtype, application, self.at, part, axes=axes, masks=masks, dropped=dropped, sizes=sizes)
            )
        return tuple(found)


def expanded(shorter: Term, longer: Term) -> str:
    """How to give a term the axes of another: at the places where the sizes then fit best."""
    lead = 1 if longer.is_batched and not shorter.is_batched else 0  # a constant has no batch axis
    batch = (BATCH,) if shorter.is_batched and not longer.is_batched else ()
    wanted, first = (*batch, *longer.shape[lead:]), 1 if shorter.is_batched else 0
    best, places = -1, tuple(range(shorter.rank, len(wanted)))
    for added in combinations(range(first, len(wanted)), max(len(wanted) - shorter.rank, 0)):
        rest = [size for axis, size in enumerate(wanted) if axis not in added]
        fit = [None if 1 in (a, b) and a != b else same_size(a, b) for a, b in zip(shorter.shape, rest, strict=True)]
        if False not in fit and fit.count(True) > best:
            best, places = fit.count(True), added
    return f"expand_dims(…, {places[0] if len(places) == 1 else list(places)})"


def kept_by(term: Term, shape: Sequence[int | Dim]) -> tuple[int | None, ...]:
    """For each axis of a broadcast shape, the axis of a term that it preserves, or None."""
    if term.is_number:
        return (None,) * len(shape)
    lead = len(shape) - term.rank
    own = [None if size == 1 and shape[axis + lead] != 1 else axis for axis, size in enumerate(term.shape)]
    return (*(None,) * lead, *own)


def cast(term: Term, dtype: str) -> Term:
    """Give a term another dtype; a number or a list of numbers is converted at once."""
    if term.dtype == dtype and not term.weak:
        return term
    if isinstance(term.origin, Literal):
        return replace(term, dtype=dtype, weak=False)
    if term.dtype == dtype:
        return replace(term, weak=False)
    from nnspec.functions.elementwise import CAST

    kept = [tuple(range(term.rank))]
    places = {"x": term.at}
    call = Call(CAST, {"x": term}, term.at, places, Context())
    return replace(call.result(term.shape, dtype, [term], kept), masks=term.masks, value=term.value)
