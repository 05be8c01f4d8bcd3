"""Functions of training, and masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from nnspec.functions.base import Call, Function, parameters
from nnspec.functions.draws import drawn
from nnspec.functions.lazy_numpy import np
from nnspec.functions.shapes import known_sizes
from nnspec.functions.terms import BATCH, BOOL, FLOAT, Application, Term

__all__ = ["FUNCTIONS"]


def _in_training_rule(call: Call) -> Term:
    a, b = call.unified(call["a"], call["b"])
    if a.rank != b.rank or a.is_batched != b.is_batched:
        raise call.error(
            f"`in_training` needs two tensors of the same shape, got {a} and {b}", "`broadcast_to` gives one a shape"
        )
    shape = [call.same(one, other, "b") for one, other in zip(a.shape, b.shape, strict=True)]
    return call.result(shape, a.dtype, [a, b], [range(a.rank), range(a.rank)])


def _random(name: str, summary: str, draw: Callable[..., Any], argument: str = "") -> Function:
    """Numbers that are drawn for each example.

    Args:
        name: Its name.
        summary: What it draws.
        draw: Draws them with Keras, from the module, the arguments, the complete shape, and what Keras's functions take.
        argument: The signature of what it takes besides the shape.
    """

    def rule(call: Call) -> Term:
        arguments = {key: call[key] for key in call.arguments if key != "shape"}
        if not 0 <= arguments.get("p", 0) <= 1:
            raise call.error("`p` is a probability, from 0 to 1", at="p")
        return call.result([BATCH, *known_sizes(call, "shape")], FLOAT, [], [], sizes=call["shape"], **arguments)

    def in_numpy(n: Any, c: Application) -> Any:
        batch = len(next(iter(n.inputs.values())))
        return np.zeros((batch, *n.sizes(c["sizes"])), n.dtype(FLOAT))

    def in_keras(k: Any, c: Application) -> Any:
        return draw(k.random, c, (k.batch, *k.sizes(c["sizes"])), dtype=k.dtype(FLOAT), seed=k.seed)

    def in_onnx(b: Any, c: Application) -> str:
        # Never computed: `in_training` is its second operand in an exported file.
        return str(b.number(0.0))

    text = f"{name}([a.shape[1], 4]{', 0.5' if argument else ''})"
    texts = (f"in_training(a * {text}, a)", f"in_training(a + {text} * a, a * 2)", f"in_training({text}, a - 1)")
    return Function(
        name,
        parameters("shape: sizes" + argument),
        rule,
        in_numpy,
        in_keras,
        in_onnx,
        drawn(*texts),
        summary,
    )


# --- masks ----------------------------------------------------------------------------------------------------------------


def _mask_rule(call: Call) -> Term:
    x: Term = call["x"]
    if x.rank < 2 or not x.axes:
        raise call.error(f"a mask covers axes of each example, but this is {x}", at="x")
    count = max(x.masks.values(), default=1)
    return call.result(x.shape[: count + 1], BOOL, [x], [range(count + 1)], masks=tuple(sorted(x.masks.items())))


def _combined(
    c: Application, read: Callable[[str], Any], both: Callable[[Any, Any], Any], add: Callable[[Any, int], Any]
) -> Any:
    """The masks of all inputs as one: `add` appends axes, `both` is true where two masks are."""
    rank = len(c.shape)
    return reduce(both, (add(read(name), rank - 1 - count) for name, count in c["masks"]))


def _numpy_mask(n: Any, c: Application, x: Any) -> Any:
    if not c["masks"]:
        return np.ones(x.shape[:2], np.bool_)
    return _combined(c, n.mask, np.logical_and, lambda mask, count: mask.reshape(mask.shape + (1,) * count))


def _keras_mask(k: Any, c: Application, x: Any) -> Any:
    if not c["masks"]:
        return k.ops.ones(tuple(k.ops.shape(x)[:2]), dtype="bool")

    def add(mask: Any, count: int) -> Any:
        return k.ops.expand_dims(mask, tuple(range(-count, 0))) if count else mask

    return _combined(c, k.mask, k.ops.logical_and, add)


def _onnx_mask(b: Any, c: Application, x: str) -> str:
    if not c["masks"]:
        return str(b.op("Expand", b.constant(True, "true", np.bool_), b.op("Shape", x, end=2)))

    def add(mask: str, count: int) -> str:
        return str(b.op("Unsqueeze", mask, b.ints(list(range(-count, 0)), "axes"))) if count else mask

    return str(_combined(c, b.mask, lambda one, other: b.op("And", one, other), add))


# --- table ----------------------------------------------------------------------------------------------------------------

_ALL = (
    Function(
        "in_training",
        parameters("a, b"),
        _in_training_rule,
        lambda n, c, a, b: b,
        lambda k, c, a, b: a if k.training else b,
        lambda b, c, left, right: right,
        drawn("in_training(a * 3, a)", "in_training(a, a * a)", "in_training(zeros_like(a), a + 1)", "1 + in_training(a, -a)"),
        "`a` in training, `b` otherwise.",
    ),
    _random(
        "random_normal",
        "Numbers of mean 0 and deviation 1, normally distributed, new for each example.",
        lambda random, c, shape, **given: random.normal(shape, **given),
    ),
    _random(
        "random_uniform",
        "Numbers from 0 up to 1, new for each example.",
        lambda random, c, shape, **given: random.uniform(shape, **given),
    ),
    _random(
        "random_bernoulli",
        "1.0 with probability `p`, else 0.0, new for each example.",
        lambda random, c, shape, **given: random.binomial(shape, 1, c["p"], **given),
        ", p: number",
    ),
    Function(
        "mask",
        parameters("x"),
        _mask_rule,
        _numpy_mask,
        _keras_mask,
        _onnx_mask,
        drawn(
            "where(expand_dims(mask(a), -1), a, 0)",
            "a * expand_dims(cast(mask(a), 'float32'), 2)",
            "sum(a, axis=1) / sum(expand_dims(cast(mask(a), 'float32'), -1), axis=1)",
            "where(mask(a), a[..., 0], -1e9)",
        ),
        "The mask of a tensor: true where a position counts; all true along the first axis of a tensor without a mask.",
    ),
)
FUNCTIONS: Mapping[str, Function] = {function.name: function for function in _ALL}
