"""Functions that make tensors of sizes, or like other tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from nnspec.functions.base import Call, Function, cast, parameters
from nnspec.functions.draws import drawn
from nnspec.functions.dtypes import with_dtype
from nnspec.functions.elementwise import number
from nnspec.functions.lazy_numpy import np
from nnspec.functions.shapes import known_sizes
from nnspec.functions.terms import BOOL, FLOAT, INT, Application, Term
from nnspec.types import Dim, ceil_div

__all__ = ["FUNCTIONS"]

_NUMPY = {FLOAT: "float32", INT: "int32", BOOL: "bool"}


def _is_static(terms: Sequence[Term]) -> bool:
    return all(term.is_static for term in terms)


# --- zeros, ones ----------------------------------------------------------------------------------------------------------


def _filled(name: str, value: int) -> Function:
    """A constant of one value."""

    def rule(call: Call) -> Term:
        return call.result(known_sizes(call, "shape"), FLOAT, [], [], sizes=call["shape"])

    def in_onnx(b: Any, c: Application) -> str:
        if _is_static(c["sizes"]):
            return str(b.constant(np.full([term.value for term in c["sizes"]], value), name, np.float32))
        return str(b.op("Expand", b.number(float(value)), b.sizes(c["sizes"])))

    return Function(
        name,
        parameters("shape: sizes"),
        rule,
        lambda n, c: np.full(n.sizes(c["sizes"]), value, n.dtype(FLOAT)),
        lambda k, c: getattr(k.ops, name)(tuple(k.sizes(c["sizes"])), dtype=k.dtype(FLOAT)),
        in_onnx,
        drawn(*(text.format(name) for text in _OF_SIZES)),
        f"A constant of {name}.",
    )


_OF_SIZES = (
    "a[:, 0] + {}([4])",
    "a * {}([a.shape[1], 4])",
    "concatenate([a, a * {}([a.shape[1], 1])], axis=1)",
    "a - expand_dims({}([a.shape[1]]), -1)",
    "a @ {}([4, 3])",
    "a + {}([1, a.shape[2]])",
    "{}([2, a.shape[1]]) @ a",
    "a / (1 + {}([a.shape[1], a.shape[2]]))",
    "where({}([a.shape[1], 1], dtype='int32') > 0, a, -a)",
)

# --- arange, linspace -----------------------------------------------------------------------------------------------------


def _bounds(call: Call, names: Sequence[str]) -> list[Term]:
    """The numbers that a range is made of."""
    found = []
    for name in names:
        value = call[name]
        term = value if isinstance(value, Term) else number(value, call.at)
        if not term.is_number or term.dtype == BOOL or (not term.weak and term.value is None):
            raise call.error(f"`{name}` of {call.name} must be a number or a size, such as `x.shape[1]`", at=name)
        found.append(term)
    return found


def _arange_rule(call: Call) -> Term:
    if call["stop"] is None:
        (stop,) = _bounds(call, ["start"])
        start, step = number(0, call.at), _bounds(call, ["step"])[0]
    else:
        start, stop, step = _bounds(call, ["start", "stop", "step"])
    terms = (start, stop, step)
    if step.value == 0 or not step.is_static:
        raise call.error("`step` of `arange` must be a number other than 0", at="step")
    if all(term.dtype == INT for term in terms):
        size = _range_size(call, start.value, stop.value, step.value)
        return call.result([size], INT, [], [], bounds=terms)
    if not _is_static(terms):
        raise call.error(
            "`arange` of floats needs numbers that are known while compiling", "write `cast(arange(…), 'float32')`"
        )
    count = math.ceil((stop.value - start.value) / step.value)  # type: ignore[operator]
    if count < 1:
        raise call.error("`arange` is empty")
    return call.result([count], FLOAT, [], [], bounds=terms)


def _range_size(call: Call, start: Any, stop: Any, step: Any) -> int | Dim:
    if start is None or stop is None:
        raise call.error("the bounds of `arange` are integers, or sums and products of sizes")
    size = ceil_div(stop - start, step) if step > 0 else ceil_div(start - stop, -step)
    if isinstance(size, int) and size < 1:
        raise call.error("`arange` is empty", "the first number must be before the last; `stop` is not included")
    if not isinstance(size, int):
        call.context.positive.append(size)
    return size


def _numpy_arange(n: Any, c: Application) -> Any:
    if c.dtype == INT:
        return np.arange(*n.sizes(c["bounds"]), dtype=np.int32)
    return _static_range(c).astype(n.dtype(FLOAT))


def _static_range(c: Application) -> Any:
    start, _, step = (term.value for term in c["bounds"])
    return start + step * np.arange(c.shape[0])  # type: ignore[arg-type]


def _keras_arange(k: Any, c: Application) -> Any:
    if c.dtype == INT:
        return k.ops.arange(*k.sizes(c["bounds"]), dtype="int32")
    return k.cast(k.ops.convert_to_tensor(_static_range(c), dtype="float32"), FLOAT)


def _onnx_arange(b: Any, c: Application) -> str:
    if _is_static(c["bounds"]):
        return str(b.constant(_static_range(c), "range", _NUMPY[c.dtype]))
    bounds = b.cast(b.sizes(c["bounds"]), INT)
    return str(b.op("Range", *(b.op("Gather", bounds, b.integer(place), axis=0) for place in range(3))))


def _linspace_rule(call: Call) -> Term:
    start, stop = (cast(term, FLOAT) for term in _bounds(call, ["start", "stop"]))
    term = call["num"] if isinstance(call["num"], Term) else number(call["num"], call.at)
    (size,) = known_sizes(Call(call.function, {"num": (term,)}, call.at, call.places, call.context), "num")
    return call.result([size], FLOAT, [start, stop], [[None], [None]], num=term)


def _keras_linspace(k: Any, c: Application, start: Any, stop: Any) -> Any:
    # keras.ops.linspace takes no tensor as the number of values.
    dtype = k.dtype(FLOAT)
    wide = "float32" if dtype in ("float16", "bfloat16") else dtype
    count = k.size(c["num"])
    places = k.ops.cast(k.ops.arange(count, dtype="int32"), wide)
    start, stop = k.ops.cast(start, wide), k.ops.cast(stop, wide)
    last = k.ops.cast(k.ops.maximum(count - 1, 1), wide)
    return k.ops.cast(start + places * ((stop - start) / last), dtype)


def _onnx_linspace(b: Any, c: Application, start: str, stop: str) -> str:
    if _is_static((*c.operands, c["num"])):
        return str(b.constant(np.linspace(*(term.value for term in (*c.operands, c["num"]))), "range", np.float32))
    count = b.op("Squeeze", b.cast(b.sizes([c["num"]]), INT))
    places = b.cast(b.op("Range", b.integer(0), count, b.integer(1)), FLOAT)
    last = b.cast(b.op("Max", b.op("Sub", count, b.integer(1)), b.integer(1)), FLOAT)
    step = b.op("Div", b.op("Sub", stop, start), last)
    return str(b.op("Add", start, b.op("Mul", places, step)))


# --- like another tensor --------------------------------------------------------------------------------------------------


def _like_rule(value: int) -> Any:
    def rule(call: Call) -> Term:
        x: Term = call["x"]
        return call.result(x.shape, x.dtype, [x], [range(x.rank)], value=value)

    return rule


def _full_like_rule(call: Call) -> Term:
    x, value = call["x"], call["fill_value"]
    if not value.is_number:
        raise call.error("`fill_value` of `full_like` must be a number", "write `broadcast_to` for a tensor", at="fill_value")
    if not x.weak or value.weak:
        x, value = call.unified(x, value)
    return call.result(x.shape, value.dtype, [x, value], [range(x.rank), [None] * x.rank])


def _onnx_like(b: Any, c: Application, x: str) -> str:
    return str(b.op("Expand", b.constant(c["value"], "value", _NUMPY[c.dtype]), b.op("Shape", x)))


_OF_A_TENSOR = ("a * 2 + {}(a)", "{}(a[:, :1]) * a", "sum({}(a), axis=1) * a[:, 0]", "a - {}(a[..., 0:2])[:, :, :1]")


def _same(name: str, value: int) -> Function:
    return Function(
        name,
        parameters("x"),
        _like_rule(value),
        lambda n, c, x: np.full_like(x, value),
        lambda k, c, x: getattr(k.ops, name)(x),
        _onnx_like,
        drawn(*(text.format(name) for text in _OF_A_TENSOR)),
        f"{name.split('_')[0].capitalize()} of the shape and type of a tensor.",
        has_gradient=False,
    )


# --- table ----------------------------------------------------------------------------------------------------------------

_ALL = (
    _filled("zeros", 0),
    _filled("ones", 1),
    Function(
        "arange",
        parameters("start, stop = None, step = 1"),
        _arange_rule,
        _numpy_arange,
        _keras_arange,
        _onnx_arange,
        drawn(
            "a * expand_dims(cast(arange(a.shape[1]), 'float32'), 1)",
            "a[:, 0] + arange(0, 2, 0.5)",
            "a[:, 0] - arange(1.0, 5)",
            "a[:, 0] * cast(arange(2, 2 + a.shape[2]), 'float32')",
            "a[:, 0] + cast(arange(a.shape[2], 0, -1), 'float32')",
            "where(expand_dims(arange(a.shape[1]) > 0, 1), a, 0)",
            "a[:, 0] * cast(arange(0, 2 * a.shape[2], 2), 'float32')",
            "a[:, 0] + cast(arange(7, -1, -2), 'float32')",
        ),
        "The integers from `start` up to but not including `stop`; of one argument, those from 0. Floats may be numbers only.",
    ),
    Function(
        "linspace",
        parameters("start, stop, num: size = 50"),
        _linspace_rule,
        lambda n, c, start, stop: np.linspace(start, stop, n.size(c["num"])),
        _keras_linspace,
        _onnx_linspace,
        drawn(
            "a[:, 0] * linspace(0, 1, 4)",
            "a[:, 0] + linspace(-1, 1, a.shape[2])",
            "a * expand_dims(linspace(0, 1, a.shape[1]), 1)",
            "a + expand_dims(linspace(2, a.shape[1], a.shape[1]), 1)",
            "a[:, 0] - linspace(3, -2, 4)",
            "a[:, 0] * linspace(0.5, 2, 1)",
            "a * expand_dims(linspace(1, 0, a.shape[1]), -1)",
            "a[:, 0] + linspace(pi, 2 * pi, a.shape[2])",
        ),
        "`num` evenly spaced numbers from `start` to `stop`, both included.",
    ),
    _same("zeros_like", 0),
    _same("ones_like", 1),
    Function(
        "full_like",
        parameters("x, fill_value"),
        _full_like_rule,
        lambda n, c, x, value: np.broadcast_to(value, np.shape(x)),
        lambda k, c, x, value: k.ops.broadcast_to(value, k.ops.shape(x)),
        lambda b, c, x, value: b.op("Expand", value, b.op("Shape", x)),
        drawn(
            "a + full_like(a, 2.5)",
            "a * full_like(a[:, :1], -1)",
            "where(a > 0, a, full_like(a, 0.25))",
            "a - full_like(a, a.shape[1])",
        ),
        "A number in the shape and type of a tensor.",
    ),
)
FUNCTIONS: Mapping[str, Function] = {
    function.name: function if function.name == "linspace" else with_dtype(function) for function in _ALL
}
