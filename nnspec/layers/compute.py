"""Tensor expressions."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from pydantic import Field, GetJsonSchemaHandler
from pydantic_core import core_schema

from nnspec.expressions.syntax import ExpressionError, parse
from nnspec.functions import products
from nnspec.functions.base import Context
from nnspec.functions.names import CONSTANTS, names_read
from nnspec.functions.terms import BOOL, FLOAT, INT, Application, Input, Term, in_order
from nnspec.functions.typing import Typing, input_term
from nnspec.layers.base import EVERYTHING, Inputs, Layer, LayerError, Outputs, Ports, Window
from nnspec.layers.time_dependence import LOOKS_AROUND, TimeDependence
from nnspec.types import Dim, TensorType, product

_DTYPES = {FLOAT: "float32", INT: "int32", BOOL: "bool"}


@dataclass(frozen=True)
class Typed:
    """The terms of a `Compute` layer.

    Attributes:
        results: The terms by result.
        context: The constraints on sizes.
        masks_read: The inputs whose masks `mask(x)` reads.
        terms: All terms, each after those that it needs.
    """

    results: Mapping[str, Term]
    context: Context
    masks_read: frozenset[str]
    terms: tuple[Term, ...]

    @property
    def applications(self) -> list[Application]:
        """The function calls."""
        return list({id(term.origin): term.origin for term in self.terms if isinstance(term.origin, Application)}.values())

    def sizes(self) -> Iterator[tuple[tuple[int | Dim, ...], int]]:
        """Yield the shape of each term for one example, and its bytes per element."""
        for term in self.terms:
            yield term.shape[1:] if term.is_batched else term.shape, 1 if term.dtype == BOOL else 4

    def constant_bytes(self) -> int | Dim:
        """The bytes of all constants, which are computed once for all examples."""
        total: int | Dim = 0
        for term in self.terms:
            if not term.is_batched and not term.is_number:
                total = total + product(term.shape) * (1 if term.dtype == BOOL else 4)
        return total


_MOVING = ("reshape", "transpose", "swapaxes", "expand_dims", "squeeze", "broadcast_to", "tile", "indexing")
"""Functions that change where values are, not the values."""


class _PortsOfNames:
    """The ports of a `Compute` layer: the tensors that its expressions read."""

    def __get__(self, layer: Compute | None, kind: type[Compute]) -> Ports:
        return Ports(()) if layer is None else Ports(tuple(layer.reads))


def _all_names(given: Mapping[str, Any]) -> list[str]:
    """The names that expressions read and that are neither earlier results, params nor constants."""
    found: dict[str, None] = {}
    known = {*CONSTANTS, *given.get("params", ())}
    for result, text in given.get("results", {}).items():
        found |= dict.fromkeys(name for name in names_read(parse(text, tensors=True)) if name not in known)
        known.add(result)
    return list(found)


class Compute(Layer):
    """Tensor expressions: computes each result with the functions of `keras.ops`, for one example at a time.

    ``- Compute: x * sigmoid(x)`` computes one result, the output. ``- Compute: {a: …, b: …}`` computes several, in order;
    a later one may use an earlier one. The names in an expression are inputs, earlier steps and params; ``x`` is the previous
    step. With ``from: {q: query}``, the keys are the tensors. See docs/compute.md, and docs/functions for the functions.
    """

    ports: ClassVar[Ports] = _PortsOfNames()  # type: ignore[assignment]
    implied_axes: ClassVar[int] = 1
    """The number of leading axes, those of the batch, that shapes leave out."""

    main_argument: ClassVar[str | None] = "results"
    derived: ClassVar[frozenset[str]] = frozenset({"reads", "params"})

    results: dict[str, str] = Field(description="The expression of each result; one expression is the result `output`.")
    params: dict[str, Any] = Field(default_factory=dict, description="The values of the params that the expressions use.")
    reads: list[str] = Field(default_factory=_all_names, description="The names of the tensors that the expressions read.")

    @classmethod
    def __get_pydantic_json_schema__(cls, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        text = {"type": ["string", "number"], "description": "A tensor expression, such as `x * sigmoid(x)`."}
        results = {
            "type": "object",
            "additionalProperties": text,
            "minProperties": 1,
            "description": "Several results, in order.",
        }
        return {"anyOf": [text, results], "description": (cls.__doc__ or "").partition("\n")[0]}

    @property
    def written(self) -> dict[str, Any]:
        return dict(self.results)

    @property
    def expressions(self) -> Mapping[str, str]:
        return self.results

    def typed(self, inputs: Inputs) -> Typed:
        """Return the typed terms of its expressions.

        Raises:
            LayerError: If an expression does not fit the inputs.
        """
        shown = tuple((name, x.shape, x.dtype, None if x.mask is None else len(x.mask)) for name, x in inputs.items())
        return typed(tuple(self.results.items()), frozen(self.params), shown)

    def infer(self, inputs: Inputs) -> Outputs:
        results, first = self.typed(inputs).results, self.implied_axes
        return {name: TensorType(term.shape[first:], _DTYPES[term.dtype]) for name, term in results.items()}

    def output_types(self, inputs: Inputs) -> Outputs:
        found = self.infer(inputs)
        for name, term in self.typed(inputs).results.items():
            if term.masks:
                found[name] = found[name].masked(term.shape[self.implied_axes : 1 + max(term.masks.values())])
        return found

    def positions(self, inputs: Inputs) -> dict[str, list[int | Dim]]:
        """Return, for each input that holds indices, the sizes of the axes that it selects from; negative indices are valid."""
        found: dict[str, list[int | Dim]] = {}
        for call in self.typed(inputs).applications:
            if call.function.name not in ("take", "take_along_axis"):
                continue
            indices = call.operands[1]
            while isinstance(indices.origin, Application) and indices.origin.function.name in _MOVING:
                indices = indices.origin.operands[0]
            if isinstance(indices.origin, Input):
                found.setdefault(indices.origin.name, []).append(call.operands[0].shape[call["axis"]])
        return found

    def is_zero(self, output: str, inputs: Inputs) -> bool:
        """Whether a result is 0 whatever the inputs are."""
        origin = self.typed(inputs).results[output].origin
        return isinstance(origin, Application) and origin.function.name in ("zeros", "zeros_like")

    def drops_mask(self, inputs: Inputs, outputs: Mapping[str, TensorType]) -> bool:
        """Whether a result has no mask because of an operation on the way, and no expression reads the mask."""
        if all(type_.mask is None for type_ in inputs.values()):
            return False
        found = self.typed(inputs)
        return any(not term.masks and term.dropped - found.masks_read for term in found.results.values())

    def agreeing_sizes(self, inputs: Inputs) -> tuple[tuple[int | Dim, int | Dim], ...]:
        return tuple(self.typed(inputs).context.equal)

    def room(self, inputs: Inputs) -> tuple[int | Dim, ...]:
        return tuple(size for size in self.typed(inputs).context.positive if isinstance(size, Dim))

    def macs(self, inputs: Inputs) -> int | Dim:
        """Only products count."""
        total: int | Dim = 0
        for application in self.typed(inputs).applications:
            total = total + products.macs(application)
        return total

    def is_discontinuous(self, inputs: Inputs) -> bool:
        needed = in_order(self.typed(inputs).results.values(), in_training=False)
        return any(isinstance(term.origin, Application) and term.origin.is_discontinuous for term in needed)

    def receptive_field(self, inputs: Inputs) -> Window | None:
        """None if each position depends on the same position of its inputs only."""
        found = self.typed(inputs)
        for term in found.results.values():
            for name, axes in term.axes.items():
                spatial = range(1, max(inputs[name].rank, 1))
                if any(axis >= len(axes) or axes[axis] != axis for axis in spatial):
                    return EVERYTHING
        return None

    def time_dependence(self, inputs: Inputs, fed: Mapping[str, Hashable], along: AbstractSet[str]) -> TimeDependence:
        """Each time step is computed on its own if the time axis is preserved and its size is not read."""
        found = self.typed(inputs)
        follow, ahead = [], False
        for result, term in found.results.items():
            reading = [name for name in term.axes if name in along]
            kept = all(len(term.axes[name]) > 1 and term.axes[name][1] == 1 for name in reading)
            ahead = ahead or not kept or any((name, 1) in term.sizes for name in along)
            if reading and kept:
                follow.append(result)
        return TimeDependence(sees_ahead=ahead, obstacle=LOOKS_AROUND if ahead else None, outputs=tuple(follow))

    @property
    def activation_name(self) -> str | None:
        """The activation that is applied last in its only expression, if that is all it is."""
        return None


def frozen(value: Any) -> Hashable:
    """A hashable copy of a param."""
    if isinstance(value, Mapping):
        return dict, tuple((name, frozen(each)) for name, each in value.items())
    return (list, tuple(map(frozen, value))) if isinstance(value, list | tuple) else (type(value), value)


def thawed(value: Any) -> Any:
    """A param from its hashable copy."""
    kind, content = value
    if kind is dict:
        return {name: thawed(each) for name, each in content}
    return [thawed(each) for each in content] if kind is list else content


@lru_cache(maxsize=1024)
def typed(results: tuple[tuple[str, str], ...], params: Any, inputs: tuple[tuple[Any, ...], ...]) -> Typed:
    """Give types to the expressions of a layer.

    Args:
        results: The names and expressions of the results.
        params: The params, frozen.
        inputs: The name, the shape without the batch, the dtype and the number of mask axes of each tensor.

    Raises:
        LayerError: If an expression does not fit the inputs.
    """
    names = {name: input_term(name, shape, dtype, mask=mask) for name, shape, dtype, mask in inputs}
    return typed_by(Typing({**names}, thawed(params)), results)


def typed_by(typing: Typing, results: Iterable[tuple[str, str]]) -> Typed:
    """Give types to expressions, each of which may read the results before it.

    Args:
        typing: Knows the tensors and params; the results are added to its names.
        results: The names and expressions of the results.

    Raises:
        LayerError: If an expression is wrong.
    """
    found: dict[str, Term] = {}
    for name, text in results:
        try:
            found[name] = typing.result(text)
        except ExpressionError as error:
            raise LayerError(str(error), help=error.help, argument=name, within=(error.start, error.end)) from None
        typing.names[name] = found[name]
    return Typed(found, typing.context, frozenset(typing.masks_read), tuple(in_order(found.values())))
