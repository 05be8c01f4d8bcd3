"""Padding, and triangles of matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nnspec.functions.base import Call, Case, Function, parameters
from nnspec.functions.draws import draw_any, draw_floats
from nnspec.functions.elementwise import number
from nnspec.functions.lazy_numpy import np
from nnspec.functions.terms import BOOL, INT, Application, Sizes, Term
from nnspec.types import Dim

__all__ = ["FUNCTIONS", "example", "like"]

_INT64 = 7
"""The number of ONNX's int64 dtype."""


def like(call: Call, x: Term, shape: Sequence[int | Dim], kept: Sequence[int | None], **arguments: Any) -> Term:
    """A result that has the values of a tensor; that of a list of numbers stays weak."""
    return replace(call.result(shape, x.dtype, [x], [kept], **arguments), weak=x.weak)


def example(x: Term) -> Sizes:
    """The shape of one example."""
    return x.shape[1:] if x.is_batched else x.shape


# --- pad ------------------------------------------------------------------------------------------------------------------

_MODES = ("constant", "reflect", "symmetric", "edge")


def _pad_widths(call: Call, x: Term) -> list[tuple[int, int]]:
    """The positions added before and after each axis of one example."""
    rank = len(example(x))
    given = call["pad_width"]
    if isinstance(given, int):
        given = ((given, given),) * rank
    elif len(given) == 2 and all(isinstance(each, int) for each in given):
        given = (given,) * rank
    if not all(isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(each, int) for each in pair) for pair in given):
        raise call.error(
            "`pad_width` is a list of pairs, [before, after] for each axis of one example",
            f"write {[[0, 0]] * (rank - 1) + [[1, 1]]}",
            at="pad_width",
        )
    if len(given) != rank:
        help = "omit the batch axis" if x.is_batched and len(given) == x.rank else "write [0, 0] for axes that stay"
        raise call.error(f"`pad` of {x} needs {rank} pairs, got {len(given)}", help, at="pad_width")
    if any(count < 0 for pair in given for count in pair):
        raise call.error(
            "`pad` adds positions: a width cannot be negative", "remove them by a slice: `x[:, 1:]`", at="pad_width"
        )
    return list(given)


def _pad_rule(call: Call) -> Term:
    x: Term = call["x"]
    mode = call["mode"]
    if mode not in _MODES:
        raise call.error(f"`pad` has no mode `{mode}`", f"the modes are {', '.join(map(repr, _MODES))}", at="mode")
    lead = 1 if x.is_batched else 0
    widths = [*[(0, 0)] * lead, *_pad_widths(call, x)]
    if mode in ("reflect", "symmetric"):
        for axis, (size, pair) in enumerate(zip(x.shape, widths, strict=True)):
            needed = max(pair) + (1 if mode == "reflect" and any(pair) else 0)
            if isinstance(size, int) and size < needed:
                raise call.error(
                    f"`pad` by {mode} repeats {max(pair)} positions of axis {axis}, which has {size}",
                    "pad by less, or use the mode 'edge' or 'constant'",
                    at="pad_width",
                )
            if not isinstance(size, int) and any(pair):
                call.context.positive.append(size - needed + 1)
    shape = [size + sum(pair) if any(pair) else size for size, pair in zip(x.shape, widths, strict=True)]
    kept = [None if any(pair) else axis for axis, pair in enumerate(widths)]
    plan = {"widths": tuple(widths), "mode": mode}
    if mode != "constant":
        if "constant_values" in call.places:
            raise call.error(f"the mode '{mode}' takes no `constant_values`", at="constant_values")
        return like(call, x, shape, kept, **plan)
    value = call["constant_values"]
    value = value if isinstance(value, Term) else number(False if x.dtype == BOOL else value, call.at)
    if not value.is_number:
        raise call.error("`constant_values` of `pad` must be a number", at="constant_values")
    x, value = call.unified(x, value)
    return replace(call.result(shape, x.dtype, [x, value], [kept, [None] * len(shape)], **plan), weak=call["x"].weak)


def _numpy_pad(n: Any, c: Application, x: Any, *value: Any) -> Any:
    given = {"constant_values": value[0]} if value else {}
    return np.pad(x, c["widths"], c["mode"], **given)


def _keras_pad(k: Any, c: Application, x: Any, *value: Any) -> Any:
    if c["mode"] != "edge":
        given = {"constant_values": value[0]} if value else {}
        return k.ops.pad(x, c["widths"], c["mode"], **given)
    for axis, (before, after) in enumerate(c["widths"]):  # TensorFlow lacks it
        whole = [slice(None)] * axis
        first, last = x[(*whole, slice(0, 1))], x[(*whole, slice(-1, None))]
        parts = [*[first] * before, x, *[last] * after]
        x = k.ops.concatenate(parts, axis=axis) if len(parts) > 1 else x
    return x


def _onnx_pad(b: Any, c: Application, x: str, *value: str) -> str:
    if c["mode"] != "symmetric":
        pads = [before for before, _ in c["widths"]] + [after for _, after in c["widths"]]
        return str(b.op("Pad", x, b.ints(pads, "pads"), *value, mode=c["mode"]))
    for axis, (before, after) in enumerate(c["widths"]):  # ONNX lacks it

        def reversed_part(x: str, start: int, stop: int, axis: int = axis) -> str:
            bounds = (b.ints([each], hint) for each, hint in ((start, "start"), (stop, "stop"), (axis, "axis"), (-1, "step")))
            return str(b.op("Slice", x, *bounds))

        parts = [x]
        if before:
            parts.insert(0, reversed_part(x, before - 1, -(2**62)))
        if after:
            parts.append(reversed_part(x, -1, -after - 1))
        x = b.op("Concat", *parts, axis=axis) if len(parts) > 1 else x
    return x


def _draw_pad(rng: np.random.Generator) -> Case:
    rank = int(rng.integers(1, 4))
    widths = [[int(count) for count in rng.integers(0, 3, 2)] for _ in range(rank)]
    mode = rng.choice([*_MODES, "value"])
    extra = f", constant_values={rng.normal():.3f}" if mode == "value" else f", mode='{mode}'"
    draw = draw_floats if mode == "value" else draw_any
    return Case(f"pad(a, {widths}{extra})", {"a": draw(rng, (3, *rng.integers(3, 6, rank)))})


# --- triangles ------------------------------------------------------------------------------------------------------------


def _triangle(name: str, summary: str, upper: int) -> Function:
    def rule(call: Call) -> Term:
        x: Term = call["x"]
        if len(example(x)) < 2:
            raise call.error(f"{call.name} takes matrices: {x} has fewer than 2 axes behind the batch", at="x")
        term = like(call, x, x.shape, range(x.rank), k=call["k"])
        # What is kept of a position depends on where it is, so a part of the axis is not computed alone.
        places = ((each, axes[axis]) for each, axes in x.axes.items() for axis in (-2, -1))
        return replace(term, sizes=term.sizes.union((each, axis) for each, axis in places if axis is not None))

    def in_keras(k: Any, c: Application, x: Any) -> Any:
        # keras.ops.tril and triu fail on TensorFlow if the diagonal is outside the matrix.
        rows, columns = (k.ops.arange(k.ops.shape(x)[axis], dtype="int32") for axis in (-2, -1))
        place = columns - k.ops.expand_dims(rows, 1)
        return k.ops.where(place >= c["k"] if upper else place <= c["k"], x, k.ops.zeros_like(x))

    def in_onnx(b: Any, c: Application, x: str) -> str:
        offset = [b.op("Squeeze", b.ints([c["k"]], "k"))] if c["k"] else []
        if c.dtype != INT:
            return str(b.op("Trilu", x, *offset, upper=upper))
        # ONNX Runtime has no `Trilu` of int32.
        return str(b.cast(b.op("Trilu", b.op("Cast", x, to=_INT64), *offset, upper=upper), INT))

    def draw(rng: np.random.Generator) -> Case:
        shape = [3, *rng.integers(1, 4, rng.integers(0, 2)), *rng.integers(2, 6, 2)]
        k = int(rng.integers(-3, 4))
        return Case(f"{name}(a, {k})" if k else f"{name}(a)", {"a": draw_any(rng, shape)})

    return Function(
        name,
        parameters("x, k: int = 0"),
        rule,
        lambda n, c, x: getattr(np, name)(x, c["k"]),
        in_keras,
        in_onnx,
        draw,
        summary,
    )


# --- table ----------------------------------------------------------------------------------------------------------------

_ALL = (
    Function(
        "pad",
        parameters("x, pad_width: ints, mode: text = constant, constant_values = 0"),
        _pad_rule,
        _numpy_pad,
        _keras_pad,
        _onnx_pad,
        _draw_pad,
        "Adds positions: `[before, after]` for each axis of one example; 'constant', 'reflect', 'symmetric' or 'edge'.",
    ),
    _triangle("tril", "The lower triangle of the last two axes, up to diagonal `k`; 0 elsewhere.", 0),
    _triangle("triu", "The upper triangle of the last two axes, from diagonal `k`; 0 elsewhere.", 1),
)
FUNCTIONS: Mapping[str, Function] = {function.name: function for function in _ALL}
