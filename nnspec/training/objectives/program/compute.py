"""Expressions of a program: the batch is an ordinary axis, and gradients are tensors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, cast

from nnspec.expressions.syntax import Call as CallSyntax
from nnspec.expressions.syntax import ExpressionError, Name, Syntax
from nnspec.functions.base import Call, Case, Function, Parameter, parameters
from nnspec.functions.reductions import FUNCTIONS as REDUCTIONS
from nnspec.functions.terms import FLOAT, INT, Application, Input, Term
from nnspec.functions.typing import Typing, complete_term
from nnspec.generation.draws import BATCH_SIZE
from nnspec.layers.base import Inputs, Window
from nnspec.layers.compute import Compute, Typed, frozen, thawed, typed_by
from nnspec.spec.program import BATCH, STEPS

__all__ = ["GRADIENT", "ProgramCompute", "mixes_examples"]


def _gradient_rule(call: Call) -> Term:
    y, x = call["y"], call["x"]
    if not isinstance(x.origin, Input):
        message = "a gradient is with respect to a tensor of the program: the name of a field, a draw or a step above"
        raise call.error(message, "compute it in a step above, and name that", at=x)
    for term in (y, x):
        if term.dtype != FLOAT:
            raise call.error(f"a gradient needs float tensors, and this is {term.dtype}", at=term)
    of_y = [0 if axis == 0 and y.rank else None for axis in range(x.rank)]
    return call.result(x.shape, FLOAT, [y, x], [of_y, range(x.rank)])


def _not_computed(*_: Any) -> Any:
    raise AssertionError("a gradient is computed by the program")


GRADIENT = Function(
    "gradient",
    parameters("y, x"),
    _gradient_rule,
    _not_computed,
    lambda k, c, y, x: k.gradient(c),
    _not_computed,
    lambda rng: Case("gradient(y, x)", {}),
    "The gradient of `sum(y)` with respect to `x`.",
)
"""Where a program's own network outputs are differentiated, as in a gradient penalty."""


class _ProgramTyping(Typing):
    """Gives types to expressions whose shapes are complete: no axis is implied."""

    def check_result(self, term: Term, tree: Syntax) -> None:
        del term, tree  # a result may be the same for all examples

    def _name(self, node: Name) -> Any:
        marker = self.params.get(node.name)
        if node.name not in self.names and marker in (BATCH, STEPS):
            value = BATCH_SIZE if marker == BATCH else None
            return Term((), INT, Input(str(marker)), (node.start, node.end), weak=marker == BATCH, value=value)
        return super()._name(node)

    def _call(self, node: CallSyntax) -> Any:
        name = node.function.name
        if name == GRADIENT.name:
            return self._gradient(node)
        if name.startswith("random_") or name == "in_training":
            help = "draw it: `draw: {noise: {normal: [64]}}`" if name != "in_training" else "write it into a block or network"
            raise ExpressionError(f"`{name}` is not for the expressions of a program", node.start, node.end, help=help)
        return super()._call(node)

    def _gradient(self, node: CallSyntax) -> Term:
        given = {**dict(zip(("y", "x"), node.arguments, strict=False)), **{key.name: value for key, value in node.keywords}}
        if set(given) != {"y", "x"} or len(node.arguments) + len(node.keywords) != 2:
            raise ExpressionError("`gradient` takes two tensors", node.start, node.end, help="write `gradient(y, x)`")
        operands = {name: self.tensor(self.value(each), each) for name, each in given.items()}
        places = {name: (each.start, each.end) for name, each in given.items()}
        return cast(
            "Term", self._placed(_gradient_rule(Call(GRADIENT, operands, (node.start, node.end), places, self.context)), node)
        )

    def omitted(self, function: Function, parameter: Parameter, given: Mapping[str, Any], node: CallSyntax) -> Any:
        x = given.get("x")
        # A reduction without an axis reduces all axes, as in Keras.
        if function.name in REDUCTIONS and parameter.kind == "axes" and isinstance(x, Term) and x.rank:
            return tuple(range(x.rank))
        return super().omitted(function, parameter, given, node)


class ProgramCompute(Compute):
    """Tensor expressions of a program. The types of its inputs and results are complete."""

    implied_axes: ClassVar[int] = 0

    def typed(self, inputs: Inputs) -> Typed:
        shown = tuple((name, x.shape, x.dtype, None if x.mask is None else len(x.mask) - 1) for name, x in inputs.items())
        return _typed(tuple(self.results.items()), frozen(self.params), shown)

    def receptive_field(self, inputs: Inputs) -> Window | None:
        return None


def mixes_examples(typed: Typed) -> bool:
    """Whether results depend on the size of the batch, or on other examples than their own.

    Args:
        typed: The terms of a step.
    """
    if any(isinstance(term.origin, Input) and term.origin.name == BATCH for term in typed.terms):
        return True
    batched = {term.origin.name for term in typed.terms if isinstance(term.origin, Input) and term.rank}
    applications = [term for term in typed.terms if isinstance(term.origin, Application)]
    return any(not axes or axes[0] != 0 for term in applications for name, axes in term.axes.items() if name in batched)


@lru_cache(maxsize=1024)
def _typed(results: tuple[tuple[str, str], ...], params: Any, inputs: tuple[tuple[Any, ...], ...]) -> Typed:
    """Gives types to the expressions of a step.

    Args:
        results: The names and expressions of the results.
        params: The params, frozen.
        inputs: The name, the complete shape, the dtype and the number of axes of the mask after the batch, of each tensor.

    Raises:
        LayerError: If an expression does not fit the inputs.
    """
    names = {name: complete_term(name, shape, dtype, mask=mask) for name, shape, dtype, mask in inputs}
    return typed_by(_ProgramTyping({**names}, thawed(params)), results)
