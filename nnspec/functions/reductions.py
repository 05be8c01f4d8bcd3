"""Reductions over axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from nnspec.functions.base import NAMES, Call, Case, Function, parameters
from nnspec.functions.draws import drawn_axis
from nnspec.functions.lazy_numpy import by_name, np
from nnspec.functions.terms import BOOL, FLOAT, INT, Application, Term

__all__ = ["FUNCTIONS", "keras_norm", "norm_order", "numpy_norm", "onnx_norm", "reduced", "without_negative_zero"]

_Takes = Literal["float", "numeric", "bool"]


def reduced(call: Call, x: Term, dtype: str, axes: Sequence[int], **arguments: Any) -> Term:
    """The term of a reduction of a tensor over axes; `keepdims` is read from the call."""
    keepdims = call["keepdims"]
    places = [axis for axis in range(x.rank) if keepdims or axis not in axes]
    shape = [1 if axis in axes else x.shape[axis] for axis in places]
    kept = [None if axis in axes else axis for axis in places]
    return call.result(shape, dtype, [x], [kept], axes=tuple(axes), keepdims=keepdims, **arguments)


def _operand(call: Call, takes: _Takes) -> Term:
    if takes == "float":
        return call.floats("x")
    if takes == "numeric":
        return call.numeric("x")
    x: Term = call["x"]
    if x.dtype != BOOL:
        raise call.error(f"{call.name} takes bools, not {NAMES[x.dtype]} tensor", "write a comparison, `… != 0`", at=x)
    return x


# --- proof cases ----------------------------------------------------------------------------------------------------------


def _drawn(name: str, takes: _Takes, *, several: bool = True, ties: bool = False, extra: str = "") -> Callable[..., Case]:
    def draw(rng: np.random.Generator) -> Case:
        rank = int(rng.integers(2, 5))
        shape = [3, *rng.integers(1, 5, rank - 1)]
        axis: int | list[int] = drawn_axis(rng, rank)
        if several and rng.random() < 0.5:
            axis = [int(each) for each in rng.permutation(np.arange(1, rank))[: rng.integers(1, rank)]]
        if takes == "bool":
            x = rng.random(shape) < 0.5
        elif takes == "numeric" and (ties or rng.random() < 0.3):
            x = rng.integers(-3, 4, shape).astype(np.int32)
            x = x.astype(np.float32) if ties and rng.random() < 0.5 else x
        else:
            x = rng.uniform(-2, 2, shape).astype(np.float32)
        keepdims = ", keepdims=true" if rng.random() < 0.5 else ""
        order = f", {rng.choice(extra.split())}" if extra and not isinstance(axis, list) and rng.random() < 0.8 else ""
        return Case(f"{name}(a{order}, axis={axis}{keepdims})", {"a": x})

    return draw


# --- reductions -----------------------------------------------------------------------------------------------------------


def reduction(
    name: str,
    summary: str,
    numpy: str | Callable[..., Any],
    onnx: str | Callable[..., str],
    *,
    keras: Callable[..., Any] | None = None,
    takes: _Takes = "numeric",
    is_empty_defined: bool = True,
) -> Function:
    """A reduction over one axis or several.

    Args:
        name: Its name; also in ``keras.ops``.
        summary: What it computes.
        numpy: Its NumPy function, or the name of one.
        onnx: Its ONNX operator, or a function of the builder, the tensor, the axes and `keepdims`.
        keras: A function of ``k``, the tensor, the axes and `keepdims`, unless ``keras.ops`` has it.
        takes: The dtype that it takes.
        is_empty_defined: Whether it has a value for no elements.
    """
    compute = by_name(numpy)

    def rule(call: Call) -> Term:
        x = _operand(call, takes)
        axes = call.axes("axis", x)
        if not is_empty_defined:
            call.context.positive.extend(x.shape[axis] for axis in axes)
        return reduced(call, x, x.dtype, axes)

    def in_keras(k: Any, c: Application, x: Any) -> Any:
        if keras is not None:
            return keras(k, x, c["axes"], c["keepdims"])
        return getattr(k.ops, name)(x, axis=c["axes"], keepdims=c["keepdims"])

    def in_onnx(b: Any, c: Application, x: str) -> str:
        if callable(onnx):
            return onnx(b, x, c["axes"], c["keepdims"])
        return b.reduce(onnx, x, c["axes"], keepdims=c["keepdims"])  # type: ignore[no-any-return]

    return Function(
        name,
        parameters("x, axis: axes, keepdims: bool = False"),
        rule,
        lambda n, c, x: compute(x, axis=c["axes"], keepdims=c["keepdims"]),
        in_keras,
        in_onnx,
        _drawn(name, takes),
        summary,
    )


def _of_bools(operator: str) -> Callable[..., str]:
    """ONNX Runtime reduces no bools."""
    # Over no elements the operators return the ends of int32's range, so the result is compared rather than cast.
    return lambda b, x, axes, keepdims: b.op(
        "Greater", b.reduce(operator, b.cast(x, INT), axes, keepdims=keepdims), b.integer(0)
    )


def _onnx_var(b: Any, x: str, axes: Sequence[int], keepdims: bool) -> str:
    difference = b.op("Sub", x, b.reduce("ReduceMean", x, axes, keepdims=True))
    return b.reduce("ReduceMean", b.op("Mul", difference, difference), axes, keepdims=keepdims)  # type: ignore[no-any-return]


def _numpy_logsumexp(x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    largest = np.max(x, axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)
    with np.errstate(divide="ignore"):
        found = np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest
    return found if keepdims else np.squeeze(found, axis)


# --- norms ----------------------------------------------------------------------------------------------------------------


def norm_order(call: Call, name: str) -> float:
    """The order of a vector norm.

    Raises:
        ExpressionError: If it is not 1, 2 or `inf`.
    """
    order = 2 if call[name] is None else call[name]
    if order not in (1, 2, math.inf):
        raise call.error(f"{call.name} has the orders 1, 2 and `inf`, not {order}", at=name)
    return float(order)


def _keras_root(k: Any, square: Any) -> Any:
    """The square root with gradient 0 at 0: the root never takes a 0, so its derivatives are finite."""
    zero = k.ops.equal(square, 0)
    root = k.ops.sqrt(k.ops.where(zero, k.ops.ones_like(square), square))
    return k.ops.where(zero, k.ops.zeros_like(square), root)


def keras_norm(k: Any, x: Any, order: float, axes: Sequence[int], keepdims: bool) -> Any:
    """The vector norm over axes; gradient 0 at 0."""
    if order == 2:
        return _keras_root(k, k.ops.sum(k.ops.square(x), axis=axes, keepdims=keepdims))
    absolute = x * k.ops.sign(x)  # the gradient of `abs` at 0 depends on the backend
    combine = k.ops.sum if order == 1 else k.ops.max
    return combine(absolute, axis=axes, keepdims=keepdims)


def numpy_norm(x: Any, order: float, axes: Sequence[int], keepdims: bool) -> Any:
    """The vector norm over axes."""
    if order == 2:
        return np.sqrt(np.sum(np.square(x), axis=axes, keepdims=keepdims))
    return (np.sum if order == 1 else np.max)(np.abs(x), axis=axes, keepdims=keepdims)


def onnx_norm(b: Any, x: str, order: float, axes: Sequence[int], keepdims: bool) -> str:
    """The vector norm over axes."""
    if order == math.inf:
        return b.reduce("ReduceMax", b.op("Abs", x), axes, keepdims=keepdims)  # type: ignore[no-any-return]
    return b.reduce(f"ReduceL{order:g}", x, axes, keepdims=keepdims)  # type: ignore[no-any-return]


def _norm_rule(call: Call) -> Term:
    x = call.floats("x")
    order = norm_order(call, "ord")
    axes = call.axes("axis", x)
    if len(axes) > 1 and call["ord"] is not None:
        raise call.error(
            "`norm` over several axes takes no `ord`: it is the root of the sum of squares",
            "remove `ord`, or name one axis",
            at="ord",
        )
    if order == math.inf:
        call.context.positive.append(x.shape[axes[0]])
    return reduced(call, x, FLOAT, axes, order=order)


NORM = Function(
    "norm",
    parameters("x, ord: number = None, axis: axes, keepdims: bool = False"),
    _norm_rule,
    lambda n, c, x: numpy_norm(x, c["order"], c["axes"], c["keepdims"]),
    lambda k, c, x: keras_norm(k, x, c["order"], c["axes"], c["keepdims"]),
    lambda b, c, x: onnx_norm(b, x, c["order"], c["axes"], c["keepdims"]),
    _drawn("norm", "float", extra="1 2 inf ord=1 ord=inf"),
    "The norm of vectors: of order 2, 1 or `inf`; over several axes, the root of the sum of squares; gradient 0 at 0.",
)


# --- positions ------------------------------------------------------------------------------------------------------------


def without_negative_zero(k: Any, x: Any) -> Any:
    """Replace −0 by 0: Keras on TensorFlow and XLA's `top_k` order them; has no gradient at 0."""
    return k.ops.where(k.ops.equal(x, 0), k.ops.zeros_like(x), x)


def _position(name: str, operator: str, summary: str) -> Function:
    """`argmax` or `argmin`."""

    def rule(call: Call) -> Term:
        x = call.numeric("x")
        axis = call.axis("axis", x)
        call.context.positive.append(x.shape[axis])
        return reduced(call, x, INT, [axis])

    def in_keras(k: Any, c: Application, x: Any) -> Any:
        found = getattr(k.ops, name)(without_negative_zero(k, x), axis=c["axes"][0], keepdims=c["keepdims"])
        return k.cast(found, INT)

    return Function(
        name,
        parameters("x, axis: axis, keepdims: bool = False"),
        rule,
        lambda n, c, x: getattr(np, name)(x, axis=c["axes"][0], keepdims=c["keepdims"]),
        in_keras,
        lambda b, c, x: b.cast(b.op(operator, x, axis=c["axes"][0], keepdims=int(c["keepdims"])), INT),
        _drawn(name, "numeric", several=False, ties=True),
        summary,
        is_discontinuous=True,
    )


_ALL = (
    reduction("sum", "The sum.", "sum", "ReduceSum"),
    reduction("mean", "The mean.", "mean", "ReduceMean", takes="float", is_empty_defined=False),
    reduction("prod", "The product.", "prod", "ReduceProd"),
    reduction("max", "The largest element.", "max", "ReduceMax", is_empty_defined=False),
    reduction("min", "The smallest element.", "min", "ReduceMin", is_empty_defined=False),
    reduction("var", "The mean squared difference from the mean.", "var", _onnx_var, takes="float", is_empty_defined=False),
    reduction(
        "std", "The standard deviation, the root of `var`; gradient 0 at 0.", "std",
        lambda b, x, axes, keepdims: b.op("Sqrt", _onnx_var(b, x, axes, keepdims)),
        keras=lambda k, x, axes, keepdims: _keras_root(k, k.ops.var(x, axis=axes, keepdims=keepdims)),
        takes="float", is_empty_defined=False,
    ),
    reduction("any", "Whether one element is true.", "any", _of_bools("ReduceMax"), takes="bool"),
    reduction("all", "Whether all elements are true.", "all", _of_bools("ReduceMin"), takes="bool"),
    reduction(
        "logsumexp", "`log(sum(exp(x)))`, without overflow.", _numpy_logsumexp, "ReduceLogSumExp", takes="float",
        is_empty_defined=False,
    ),
    NORM,
    _position("argmax", "ArgMax", "The index of the largest element; of equal ones, the lowest."),
    _position("argmin", "ArgMin", "The index of the smallest element; of equal ones, the lowest."),
)  # fmt: skip
FUNCTIONS: Mapping[str, Function] = {function.name: function for function in _ALL}
