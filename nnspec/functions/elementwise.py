"""Element-wise functions and the operators."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal

from nnspec.expressions.params import BINARY
from nnspec.functions.base import NAMES, Call, Case, Function, parameters
from nnspec.functions.lazy_numpy import by_name, np
from nnspec.functions.terms import BOOL, FLOAT, INT, Application, Term
from nnspec.functions.terms import Literal as LiteralOrigin
from nnspec.types import Dim
from nnspec.types.activation_names import DISCONTINUOUS

__all__ = ["CAST", "FUNCTIONS", "OPERATORS", "UNARY_OPERATORS", "number"]

Draw = Callable[["np.random.Generator"], Case]
_Dtypes = Literal["float", "numeric", "any", "bool"]


def number(value: float, at: tuple[int, int], *, weak: bool = True) -> Term:
    """A number that is known before any input."""
    dtype = BOOL if isinstance(value, bool) else INT if isinstance(value, int) else FLOAT
    return Term((), dtype, LiteralOrigin(value), at, weak=weak, value=value)


def _operands(call: Call, dtypes: _Dtypes, names: tuple[str, ...]) -> tuple[Term, ...]:
    if dtypes == "float":
        return tuple(call.floats(name) for name in names)
    if dtypes == "numeric":
        return call.unified(*(call.numeric(name) for name in names))
    terms = call.unified(*(call[name] for name in names))
    if dtypes == "bool" and terms[0].dtype != BOOL:
        raise call.error(
            f"{call.name} takes bools, not {NAMES[terms[0].dtype]} tensor", "write a comparison, `… != 0`", at=terms[0]
        )
    return terms


def pointwise(call: Call, terms: tuple[Term, ...], dtype: str, **arguments: Any) -> Term:
    """The term of an element-wise function of terms that have their final dtypes."""
    shape, kept = call.broadcast(*terms)
    return call.result(shape, dtype, terms, kept, **arguments)


def _folded(call: Call, compute: Callable[..., Any], terms: tuple[Term, ...]) -> Term | None:
    """The number that a function of numbers is; None unless all are known."""
    if not all(term.is_static for term in terms):
        return None
    try:
        value = compute(*(term.value for term in terms))
    except (ArithmeticError, ValueError, TypeError) as error:
        reason = str(error) or ("a number greater than 2**63" if isinstance(error, OverflowError) else "it has no value here")
        raise call.error(f"{call.name} cannot be evaluated: {reason}") from None
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, complex) or (isinstance(value, int) and abs(value) > 2**63):
        raise call.error(f"{call.name} has no value in this range")
    return number(value, call.at)


def _drawn(name: str, count: int, low: float, high: float, dtypes: _Dtypes) -> Draw:
    """Draw operands of one shape, sometimes with axes of size 1 to broadcast."""

    def draw(rng: np.random.Generator) -> Case:
        shape = [3, *rng.integers(1, 5, rng.integers(1, 4))]
        integers = dtypes in ("numeric", "any") and rng.random() < 0.3
        found = {}
        for letter in "abc"[:count]:
            own = [shape[0], *(1 if count > 1 and rng.random() < 0.2 else size for size in shape[1:])]
            if dtypes == "bool":
                found[letter] = rng.random(own) < 0.5
            elif integers:
                found[letter] = rng.integers(math.ceil(low), math.floor(high) + 1, own).astype(np.int32)
            else:
                found[letter] = rng.uniform(low, high, own).astype(np.float32)
        return Case(name.format(*found), found)

    return draw


def unary(
    name: str,
    summary: str,
    numpy: str | Callable[[Any], Any],
    onnx: str | Callable[..., str],
    *,
    keras: str | Callable[..., Any] = "",
    text: str = "",
    python: Callable[[Any], Any] | None = None,
    dtypes: _Dtypes = "float",
    result: str = "",
    domain: tuple[float, float] = (-3, 3),
    is_discontinuous: bool = False,
    has_gradient: bool = True,
) -> Function:
    """An element-wise function of one tensor, or an operator.

    Args:
        name: Its name; also in ``keras.ops``, unless given.
        summary: What it computes.
        numpy: Its NumPy function, or the name of one.
        onnx: Its ONNX operator, or a function of the builder and the tensor.
        keras: Its name in ``keras.ops``, or a function of ``k`` and the tensor.
        text: How an operator is written, such as ``-{}``.
        python: Computes it for a size.
        dtypes: What it takes.
        result: Its dtype, if that is not its operand's.
        domain: Where its proof cases are drawn.
        is_discontinuous: Whether it jumps.
        has_gradient: Whether its gradient is not 0 everywhere.
    """
    compute = by_name(numpy)

    def rule(call: Call) -> Term:
        terms = _operands(call, dtypes, ("x",))
        folded = _folded(call, compute, terms)
        if folded is not None:
            return folded
        found = pointwise(call, terms, result or terms[0].dtype)
        size = terms[0].value
        return found if python is None or not isinstance(size, Dim) else replace(found, weak=True, value=python(size))

    def in_keras(k: Any, c: Application, x: Any) -> Any:
        return keras(k, x) if callable(keras) else getattr(k.ops, keras or name)(x)

    def in_onnx(b: Any, c: Application, x: str) -> str:
        return b.op(onnx, x) if isinstance(onnx, str) else onnx(b, x)

    draw = _drawn(text or f"{name}({{}})", 1, *domain, dtypes)
    in_numpy = lambda n, c, x: compute(x)  # noqa: E731
    return Function(name, parameters("x"), rule, in_numpy, in_keras, in_onnx, draw, summary, is_discontinuous, has_gradient)


def binary(
    name: str,
    summary: str,
    numpy: str | Callable[[Any, Any], Any],
    onnx: str | Callable[..., str],
    *,
    keras: str | Callable[..., Any] = "",
    text: str = "",
    python: Callable[[Any, Any], Any] | None = None,
    dtypes: _Dtypes = "numeric",
    result: str = "",
    domain: tuple[float, float] = (-3, 3),
    is_discontinuous: bool = False,
    has_gradient: bool = True,
) -> Function:
    """An element-wise function of two tensors, or an operator; see [`unary`][].

    Args:
        text: How an operator is written, such as ``{} + {}``.
        python: Computes it for numbers; by default ``numpy``.
    """
    compute = by_name(numpy)

    def rule(call: Call) -> Term:
        terms = (call["x1"], call["x2"])
        folded = _folded(call, python or compute, terms)
        if folded is not None:
            return folded
        if all(term.weak for term in terms) and all(term.is_number for term in terms):
            return _of_sizes(call, terms)
        return pointwise(call, (found := _operands(call, dtypes, ("x1", "x2"))), result or found[0].dtype)

    def _of_sizes(call: Call, terms: tuple[Term, ...]) -> Term:
        if dtypes == "float":
            terms = tuple(replace(call.floats(term), weak=True) for term in ("x1", "x2"))
        terms = call.unified(*terms)
        found = replace(pointwise(call, terms, result or terms[0].dtype), weak=not result)
        if found.dtype != INT or python is None:
            return found
        try:
            value = python(terms[0].value, terms[1].value)
        except TypeError:  # no size: a product with a float, or a quotient of two symbols
            return found
        if isinstance(value, int):
            return number(value, call.at)
        call.context.bound(value)
        return replace(found, value=value)

    def in_keras(k: Any, c: Application, a: Any, b: Any) -> Any:
        return keras(k, a, b) if callable(keras) else getattr(k.ops, keras or name)(a, b)

    def in_onnx(b: Any, c: Application, left: str, right: str) -> str:
        return b.op(onnx, left, right) if isinstance(onnx, str) else onnx(b, c, left, right)

    draw = _drawn(text or f"{name}({{}}, {{}})", 2, *domain, dtypes)
    in_numpy = lambda n, c, a, b: compute(a, b)  # noqa: E731
    return Function(
        name, parameters("x1, x2"), rule, in_numpy, in_keras, in_onnx, draw, summary, is_discontinuous, has_gradient
    )


# --- exact forms of functions that ONNX lacks ---------------------------------------------------------------------------


def _expm1(b: Any, x: str) -> Any:
    """Kahan's quotient: ``(u − 1) x / log(u)`` with ``u = exp(x)``, exact near 0 (Higham 2002, section 1.14)."""
    one = b.number(1.0)
    u = b.op("Exp", x)
    less = b.op("Sub", u, one)
    quotient = b.op("Div", b.op("Mul", less, x), b.op("Log", u))
    near = b.op("Equal", u, one)
    far = b.op("Or", b.op("IsInf", u), b.op("Equal", less, b.number(-1.0)))
    return b.op("Where", near, x, b.op("Where", far, less, quotient))


def _log1p(b: Any, x: str) -> Any:
    """Kahan's quotient: ``log(u) x / (u − 1)`` with ``u = 1 + x``, exact near 0."""
    one = b.number(1.0)
    u = b.op("Add", x, one)
    less = b.op("Sub", u, one)
    log = b.op("Log", u)
    far = b.op("Or", b.op("IsInf", u), b.op("Equal", u, b.number(0.0)))
    quotient = b.op("Where", far, log, b.op("Div", b.op("Mul", log, x), less))
    return b.op("Where", b.op("Equal", u, one), x, quotient)


def _keras_floor(k: Any, a: Any, b: Any) -> Any:
    # Backends round `a // b` of floats differently.
    return k.ops.floor(k.ops.divide(a, b)) if k.is_float(a) else _zero_by_zero(k, k.ops.floor_divide, a, b)


def _keras_mod(k: Any, a: Any, b: Any) -> Any:
    return k.ops.mod(a, b) if k.is_float(a) else _zero_by_zero(k, k.ops.mod, a, b)


def _zero_by_zero(k: Any, divide: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    # As in NumPy; TensorFlow and ONNX Runtime raise an error, which would stop a server.
    is_zero = k.ops.equal(b, 0)
    return k.ops.where(is_zero, k.ops.zeros_like(b), divide(a, k.ops.where(is_zero, k.ops.ones_like(b), b)))


def _onnx_floor(b: Any, c: Application, left: str, right: str) -> Any:
    if c.operands[0].dtype == FLOAT:
        return b.op("Floor", b.op("Div", left, right))
    # ONNX's integer division truncates.
    return _onnx_integers(b, c, right, lambda by: b.op("Div", b.op("Sub", left, b.op("Mod", left, by)), by))


def _onnx_integers(b: Any, c: Application, right: str, divide: Callable[[str], Any]) -> Any:
    """A division of integers; by 0 it is 0."""
    if isinstance(c.operands[1].origin, LiteralOrigin):
        return divide(right)
    zero = b.integer(0)
    is_zero = b.op("Equal", right, zero)
    return b.op("Where", is_zero, zero, divide(b.op("Where", is_zero, b.integer(1), right)))


def _onnx_mod(b: Any, c: Application, left: str, right: str) -> Any:
    if c.operands[0].dtype != FLOAT:
        return _onnx_integers(b, c, right, lambda by: b.op("Mod", left, by))
    rest = b.op("Mod", left, right, fmod=1)
    differs = b.op("Less", b.op("Mul", rest, right), b.number(0.0))
    return b.op("Where", differs, b.op("Add", rest, right), rest)


def _onnx_power(b: Any, c: Application, left: str, right: str) -> Any:
    exponent = c.operands[1].value
    if c.dtype != INT or not isinstance(exponent, int) or not 0 < exponent < 2**8:
        return b.op("Pow", left, right)
    # ONNX Runtime computes integer powers as floats: products overflow as everywhere else.
    found, square = "", left
    while True:
        if exponent % 2:
            found = b.op("Mul", found, square) if found else square
        exponent //= 2
        if not exponent:
            return found
        square = b.op("Mul", square, square)


def _numpy_floor(a: Any, b: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.floor(a / b) if np.asarray(a).dtype.kind == "f" else np.floor_divide(a, b)


def _erf(x: Any) -> Any:
    return np.vectorize(math.erf, otypes=[np.float64])(x)


# --- functions of more than two operands --------------------------------------------------------------------------------


def _cast_rule(call: Call) -> Term:
    x: Term = call["x"]
    dtype = _CASTS.get(call["dtype"])
    if dtype is None:
        near = next((name for name in ("float32", "int32") if call["dtype"].startswith((name[:3], f"u{name[:3]}"))), "float32")
        raise call.error(
            f"{call.name} takes the dtypes 'float32', 'int32' or 'bool', not `{call['dtype']}`", f"write `'{near}'`", at="dtype"
        )
    return pointwise(call, (x,), dtype)


_CASTS = {
    "float32": FLOAT,
    "float": FLOAT,
    "float16": FLOAT,
    "bfloat16": FLOAT,
    "float64": FLOAT,
    "int32": INT,
    "int": INT,
    "bool": BOOL,
}


def _draw_cast(rng: np.random.Generator) -> Case:
    x = rng.integers(-3, 4, (3, 4)) * 0.75
    given = [x.astype(np.float32), (x > 0), x.astype(np.int32)][rng.integers(3)]
    return Case(f"cast(a, '{rng.choice(['float32', 'int32', 'bool'])}')", {"a": given})


def _numpy_cast(n: Any, c: Application, x: Any) -> Any:
    return np.asarray(x).astype(n.dtype(c.dtype))


CAST = Function(
    "cast",
    parameters("x, dtype: text"),
    _cast_rule,
    _numpy_cast,
    lambda k, c, x: k.cast(x, c.dtype),
    lambda b, c, x: b.cast(x, c.dtype),
    _draw_cast,
    "Converts to 'float32' (the compute dtype of the layer), 'int32' or 'bool'; a float is truncated toward zero.",
    is_discontinuous=True,
)


def _where_rule(call: Call) -> Term:
    condition: Term = call["condition"]
    if condition.dtype != BOOL:
        raise call.error(
            "the condition of `where` must be a bool tensor, such as a comparison or a mask",
            "write `where(x > 0, a, b)`",
            at=condition,
        )
    a, b = call.unified(call["x1"], call["x2"])
    return pointwise(call, (condition, a, b), a.dtype)


def _onnx_where(b: Any, c: Application, condition: str, left: str, right: str) -> Any:
    if c.dtype != BOOL:
        return b.op("Where", condition, left, right)
    # ONNX Runtime has no `Where` of bools.
    return b.op("Or", b.op("And", condition, left), b.op("And", b.op("Not", condition), right))


def _clip_rule(call: Call) -> Term:
    terms = call.unified(call.numeric("x"), call.numeric("x_min"), call.numeric("x_max"))
    return pointwise(call, terms, terms[0].dtype)


def _draw_clip(rng: np.random.Generator) -> Case:
    low = round(float(rng.uniform(-2, 0)), 2)
    return Case(f"clip(a, {low}, {low + 1.5})", {"a": rng.uniform(-3, 3, (3, 4)).astype(np.float32)})


WHERE = Function(
    "where",
    parameters("condition, x1, x2"),
    _where_rule,
    lambda n, c, condition, a, b: np.where(condition, a, b),
    lambda k, c, condition, a, b: k.ops.where(condition, a, b),
    _onnx_where,
    _drawn("where({0} > {1}, {0}, {2})", 3, -3, 3, "numeric"),
    "`x1` where the condition is true, else `x2`.",
)
CLIP = Function(
    "clip",
    parameters("x, x_min, x_max"),
    _clip_rule,
    lambda n, c, x, low, high: np.minimum(np.maximum(x, low), high),
    lambda k, c, x, low, high: k.ops.minimum(k.ops.maximum(x, low), high),
    lambda b, c, x, low, high: b.op("Min", b.op("Max", x, low), high),
    _draw_clip,
    "`x` limited to the range from `x_min` to `x_max`.",
)


# --- activations ----------------------------------------------------------------------------------------------------------


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


def _softplus(x: Any) -> Any:
    return np.logaddexp(np.asarray(x, np.float64), 0)


_SELU = 1.0507009873554805, 1.6732632423543772
_REFERENCE: Mapping[str, Callable[[Any], Any]] = {
    "celu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "gelu": lambda x: x * 0.5 * (1 + _erf(x / np.sqrt(2))),
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "log_sigmoid": lambda x: -_softplus(-x),
    "mish": lambda x: x * np.tanh(_softplus(x)),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "selu": lambda x: _SELU[0] * np.where(x > 0, x, _SELU[1] * np.expm1(np.minimum(x, 0))),
    "sigmoid": _sigmoid,
    "silu": lambda x: x * _sigmoid(x),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "sparse_plus": lambda x: np.where(x <= -1, 0, np.where(x < 1, (np.clip(x, -1, 1) + 1) ** 2 / 4, x)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "squareplus": lambda x: (x + np.sqrt(x * x + 4)) / 2,
    "swish": lambda x: x * _sigmoid(x),
    "tanh_shrink": lambda x: x - np.tanh(x),
}
"""The catalogue's element-wise activations that have no function of their own, in NumPy."""


def _activation(name: str) -> Function:
    return unary(
        name,
        f"The activation `{name}`, as in layers.",
        _REFERENCE[name],
        lambda b, x: b.activation(name, x),
        keras=lambda k, x: k.activation(name, x),
        is_discontinuous=name in DISCONTINUOUS,
    )


# --- tables ---------------------------------------------------------------------------------------------------------------

_ALL = (
    unary("abs", "The absolute value.", "abs", "Abs", dtypes="numeric"),
    unary("sign", "−1, 0 or 1.", "sign", "Sign", dtypes="numeric", is_discontinuous=True, has_gradient=False),
    unary("exp", "The exponential.", "exp", "Exp"),
    unary("expm1", "`exp(x) - 1`, exact near 0.", "expm1", _expm1),
    unary("log", "The natural logarithm.", "log", "Log", domain=(0.1, 5)),
    unary("log1p", "`log(1 + x)`, exact near 0.", "log1p", _log1p, domain=(-0.5, 3)),
    unary("sqrt", "The square root.", "sqrt", "Sqrt", domain=(0.1, 5)),
    unary(
        "rsqrt", "`1 / sqrt(x)`.", lambda x: 1 / np.sqrt(x), lambda b, x: b.op("Reciprocal", b.op("Sqrt", x)), domain=(0.1, 5)
    ),
    unary("square", "`x * x`.", "square", lambda b, x: b.op("Mul", x, x), dtypes="numeric"),
    unary("floor", "The largest integer that is not greater.", "floor", "Floor", is_discontinuous=True, has_gradient=False),
    unary("ceil", "The smallest integer that is not less.", "ceil", "Ceil", is_discontinuous=True, has_gradient=False),
    unary("round", "The nearest integer; halves to the even one.", "round", "Round", is_discontinuous=True, has_gradient=False),
    unary("sin", "The sine.", "sin", "Sin"),
    unary("cos", "The cosine.", "cos", "Cos"),
    unary("tan", "The tangent.", "tan", "Tan", domain=(-1.2, 1.2)),
    unary("arcsin", "The inverse sine.", "arcsin", "Asin", domain=(-0.9, 0.9)),
    unary("arccos", "The inverse cosine.", "arccos", "Acos", domain=(-0.9, 0.9)),
    unary("arctan", "The inverse tangent.", "arctan", "Atan"),
    unary("sinh", "The hyperbolic sine.", "sinh", "Sinh"),
    unary("cosh", "The hyperbolic cosine.", "cosh", "Cosh"),
    unary("tanh", "The hyperbolic tangent.", "tanh", "Tanh"),
    unary("erf", "The error function.", _erf, "Erf"),
    unary("isnan", "Whether it is NaN.", "isnan", "IsNaN", result=BOOL),
    unary("stop_gradient", "`x`; its gradient is 0.", lambda x: x, lambda b, x: x, dtypes="any", has_gradient=False),
    binary("maximum", "The larger of two.", "maximum", "Max"),
    binary("minimum", "The smaller of two.", "minimum", "Min"),
    CAST,
    WHERE,
    CLIP,
    *map(_activation, _REFERENCE),
)
FUNCTIONS: Mapping[str, Function] = {function.name: function for function in _ALL}

_comparison = partial(binary, result=BOOL, is_discontinuous=True)


def _power_check(call: Call) -> None:
    a, b = call["x1"], call["x2"]
    if a.dtype == INT and not a.is_static and isinstance(b.value, int) and b.value < 0:
        what = "a size" if a.is_number else "an integer tensor"
        raise call.error(f"{what} has no negative power", "write `cast(…, 'float32')`", at=a)
    is_size = a.is_number and b.is_number and a.dtype == b.dtype == INT and not (a.is_static and b.is_static)
    if is_size and not (isinstance(a.value, int | Dim) and isinstance(b.value, int) and b.value <= _LARGEST_POWER):
        reason = f"the exponent of a size must be a number up to {_LARGEST_POWER}"
        if isinstance(b.value, int) and b.value <= _LARGEST_POWER:
            reason = "this size has no power: its bounds are unknown"
        raise call.error(reason, "write `cast(…, 'float32')`", at=a)


_LARGEST_POWER = 16


def _power(a: Any, b: Any) -> Any:
    """A power; that of a size is a product."""
    return math.prod([a] * b) if isinstance(a, Dim) and isinstance(b, int) else BINARY["**"](a, b)


def _checked(function: Function, check: Callable[[Call], None]) -> Function:
    def rule(call: Call) -> Term | tuple[Term, ...]:
        check(call)
        return function.rule(call)

    return replace(function, rule=rule)


def _divisor_check(call: Call) -> None:
    origin, size = call["x2"].origin, call["x2"].value
    if isinstance(size, Dim):
        call.context.positive.append(size)
    is_zero = isinstance(origin, Application) and origin.function.name == "zeros"
    if is_zero or (isinstance(origin, LiteralOrigin) and _has_zero(origin.value)):
        raise call.error(f"{call.name} divides by zero", at="x2")


def _has_zero(value: Any) -> bool:
    return any(map(_has_zero, value)) if isinstance(value, tuple) else value == 0


def _division_check(call: Call) -> None:
    for term in (call["x1"], call["x2"]):
        if term.dtype != FLOAT and not term.weak:
            name = "an integer" if term.dtype == INT else "a bool"
            raise call.error(f"`/` takes floats, not {name} tensor", "write `cast(…, 'float32')`, or use `//`", at=term)
    _divisor_check(call)


OPERATORS: Mapping[str, Function] = {
    "+": binary("add", "The sum.", "add", "Add", text="{} + {}", python=operator.add),
    "-": binary("subtract", "The difference.", "subtract", "Sub", text="{} - {}", python=operator.sub),
    "*": binary("multiply", "The product.", "multiply", "Mul", text="{} * {}", python=operator.mul),
    "/": _checked(
        binary(
            "divide",
            "The quotient of floats.",
            "divide",
            "Div",
            text="{} / {}",
            python=BINARY["/"],
            dtypes="float",
            domain=(0.5, 3),
        ),
        _division_check,
    ),
    "//": _checked(
        binary(
            "floor_divide",
            "The quotient, rounded down.",
            _numpy_floor,
            _onnx_floor,
            keras=_keras_floor,
            text="{} // {}",
            python=operator.floordiv,
            domain=(0.6, 5),
            is_discontinuous=True,
            has_gradient=False,
        ),
        _divisor_check,
    ),
    "%": _checked(
        binary(
            "mod",
            "The remainder, with the sign of the divisor.",
            "mod",
            _onnx_mod,
            keras=_keras_mod,
            text="{} % {}",
            python=BINARY["%"],
            domain=(0.6, 5),
            is_discontinuous=True,
        ),
        _divisor_check,
    ),
    "**": _checked(
        binary("power", "The power.", "power", _onnx_power, text="{} ** {}", python=_power, domain=(1, 3)), _power_check
    ),
    "<": _comparison("less", "Whether it is less.", "less", "Less", text="{} < {}", python=operator.lt),
    "<=": _comparison("less_equal", "Whether it is at most.", "less_equal", "LessOrEqual", text="{} <= {}", python=operator.le),
    ">": _comparison("greater", "Whether it is greater.", "greater", "Greater", text="{} > {}", python=operator.gt),
    ">=": _comparison(
        "greater_equal", "Whether it is at least.", "greater_equal", "GreaterOrEqual", text="{} >= {}", python=operator.ge
    ),
    "==": _comparison("equal", "Whether both are equal.", "equal", "Equal", text="{} == {}", python=operator.eq, dtypes="any"),
    "!=": _comparison(
        "not_equal",
        "Whether they differ.",
        "not_equal",
        lambda b, c, left, right: b.op("Not", b.op("Equal", left, right)),
        text="{} != {}",
        python=operator.ne,
        dtypes="any",
    ),
    "&": binary(
        "logical_and", "Whether both are true.", "logical_and", "And", text="{} & {}", python=operator.and_, dtypes="bool"
    ),
    "|": binary("logical_or", "Whether one is true.", "logical_or", "Or", text="{} | {}", python=operator.or_, dtypes="bool"),
}
"""The functions of two-operand operators."""

UNARY_OPERATORS: Mapping[str, Function] = {
    "-": unary("negative", "The negative.", lambda x: -x, "Neg", text="-{}", python=operator.neg, dtypes="numeric"),
    "~": unary(
        "logical_not",
        "Whether it is false.",
        lambda x: not x if isinstance(x, bool) else np.logical_not(x),
        "Not",
        text="~{}",
        dtypes="bool",
    ),
}
