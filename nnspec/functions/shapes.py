"""Functions that change the shape of each example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import gcd
from typing import Any

import numpy as np

from nnspec.functions.base import Call, Case, Function, parameters
from nnspec.functions.elementwise import number
from nnspec.functions.terms import BOOL, INT, Application, Sizes, Term
from nnspec.types import Dim, product, same_size, size_text, unknown
from nnspec.types.dims import exact_quotient

__all__ = ["FUNCTIONS", "expanded", "known_sizes", "with_batch"]

_INT64 = 7
"""The number of ONNX's int64 dtype."""


def known_sizes(call: Call, name: str, *, inferred: bool = False) -> list[int | Dim]:
    """The sizes of an argument.

    Args:
        call: The call.
        name: The parameter.
        inferred: Whether -1 is allowed.

    Raises:
        ExpressionError: If a size is below 1, or no polynomial of sizes.
    """
    found: list[int | Dim] = []
    for term in call[name]:
        size = term.value
        if size is None:
            raise call.error("a size is an integer, or consists of sums and products of sizes", at=term)
        if isinstance(size, int):
            if size < 1 and not (inferred and size == -1):
                raise call.error(f"a size must be at least 1, not {size}", at=term)
        else:
            call.context.positive.append(size)
        found.append(size)
    return found


def with_batch(b: Any, c: Application, first: int, terms: Sequence[Term]) -> str:
    """The complete shape as an ONNX vector: `first` stands for the batch, if there is one."""
    lead = [first] if c.operands[0].is_batched else []
    if all(isinstance(term.value, int) for term in terms):
        return str(b.ints([*lead, *(term.value for term in terms)], "shape"))
    sizes = b.sizes(terms)
    return str(b.op("Concat", b.ints(lead, "batch"), sizes, axis=0) if lead else sizes)


def expanded(n: Any, c: Application, x: Any, sizes: Sequence[Any]) -> tuple[Any, ...]:
    """The complete shape for NumPy and Keras: the sizes of one example behind that of the batch."""
    if not c.operands[0].is_batched:
        return tuple(sizes)
    return (n.ops.shape(x)[0] if hasattr(n, "ops") else x.shape[0], *sizes)


def _like(call: Call, x: Term, shape: Sequence[int | Dim], kept: Sequence[int | None], **arguments: Any) -> Term:
    """A result that has the values of a tensor; that of a list of numbers stays weak."""
    return replace(call.result(shape, x.dtype, [x], [kept], **arguments), weak=x.weak)


def _example(x: Term) -> Sizes:
    return x.shape[1:] if x.is_batched else x.shape


def _listed(shape: Sequence[int | Dim]) -> str:
    return f"[{', '.join(map(size_text, shape))}]"


# --- reshape --------------------------------------------------------------------------------------------------------------


def _reshape_rule(call: Call) -> Term:
    x: Term = call["x"]
    own, sizes = _example(x), known_sizes(call, "newshape", inferred=True)
    total = product(own)
    terms = list(call["newshape"])
    places = [place for place, size in enumerate(sizes) if size == -1]
    if len(places) > 1:
        raise call.error("at most one size may be -1", "write the other sizes", at="newshape")
    if places:
        rest = product(size for size in sizes if size != -1)
        inferred = exact_quotient(total, rest)
        if inferred is None and isinstance(total, Dim):
            factor = rest if isinstance(rest, int) else gcd(*(factor for _, factor in rest.terms))
            inferred = exact_quotient(total, exact_quotient(rest, factor) or 1)
            inferred = None if inferred is None else inferred // factor  # sizes at run time must be multiples
        if inferred is None and isinstance(total, int) and isinstance(rest, int):
            raise call.error(
                f"`reshape` cannot infer the size -1: {x} has {total} values, which is no multiple of {rest}",
                "shapes omit the batch",
                at="newshape",
            )
        if inferred is None:
            raise call.error(
                f"`reshape` cannot infer the size -1 of {_listed(sizes)} from {x}", "write the size", at="newshape"
            )
        sizes[places[0]] = unknown() if inferred is None else inferred
        if isinstance(inferred, int):
            terms[places[0]] = number(inferred, terms[places[0]].at)
    wanted = product(sizes)
    equal = same_size(total, wanted)
    if equal is False:
        raise call.error(
            f"`reshape` of {x}, which has {size_text(total)} values, to {_listed(sizes)}, which has {size_text(wanted)}",
            "write -1 for a size that follows from the others; shapes omit the batch",
            at="newshape",
        )
    if equal is None:
        call.context.equal.append((total, wanted))
    lead = 1 if x.is_batched else 0
    kept = [axis if axis is None else axis + lead for axis in _unchanged(own, sizes)]
    return _like(call, x, [*x.shape[:lead], *sizes], [*range(lead), *kept], sizes=tuple(terms))


def _unchanged(old: Sequence[int | Dim], new: Sequence[int | Dim]) -> list[int | None]:
    """For each axis of a reshaped tensor, the axis that has the same positions: it has the same size and the same stride.

    Strides are equal if the sizes behind have the same product, or those before, as the totals are equal.
    """
    found: list[int | None] = []
    first = 0
    for place, size in enumerate(new):
        match = None
        for axis in range(first, len(old)):
            if same_size(old[axis], size) and (
                same_size(product(old[:axis]), product(new[:place]))
                or same_size(product(old[axis + 1 :]), product(new[place + 1 :]))
            ):
                match = axis
                first = axis + 1
                break
        found.append(match)
    return found


def _draw_reshape(rng: np.random.Generator) -> Case:
    texts = [
        "reshape(a, [-1])",
        "reshape(a, [12, 2])",
        "reshape(a, [2, -1, 3])",
        "reshape(a, [a.shape[1] * a.shape[2], -1])",
        "reshape(a, [a.shape[1], -1])",
        "reshape(a, [-1, 2, a.shape[3]])",
        "reshape(a, [a.shape[3], 6])",
        "reshape(a, [1, 2, 3, 4, 1])",
    ]
    return Case(str(rng.choice(texts)), {"a": rng.normal(size=(3, 2, 3, 4)).astype(np.float32)})


_RESHAPE = Function(
    "reshape",
    parameters("x, newshape: sizes"),
    _reshape_rule,
    lambda n, c, x: x.reshape(expanded(n, c, x, n.sizes(c["sizes"]))),
    lambda k, c, x: k.ops.reshape(x, expanded(k, c, x, k.sizes(c["sizes"]))),
    lambda b, c, x: b.op("Reshape", x, with_batch(b, c, 0, c["sizes"])),
    _draw_reshape,
    "Gives each example another shape with as many values; one size may be -1.",
)

# --- axes in another order ------------------------------------------------------------------------------------------------


def _permuted(call: Call, order: Sequence[int]) -> Term:
    x: Term = call["x"]
    return _like(call, x, [x.shape[axis] for axis in order], order, order=tuple(order))


def _transpose_rule(call: Call) -> Term:
    x: Term = call["x"]
    given = call["axes"]
    lead = 1 if x.is_batched else 0
    if given is None:
        return _permuted(call, [*range(lead), *reversed(range(lead, x.rank))])
    given = [given] if isinstance(given, int) else list(given)
    order = [axis if axis >= 0 else axis + x.rank for axis in given]
    if sorted(order) == list(range(x.rank)):
        if lead and order[0] != 0:
            order.remove(0)
            raise call.error("the batch axis, 0, must stay first", f"write {[0, *order]}", at="axes")
        return _permuted(call, order)
    if lead and sorted(order) == list(range(1, x.rank)):
        raise call.error(
            f"the axes of `transpose` count the batch, axis 0: {given} lacks it", f"write {[0, *order]}", at="axes"
        )
    if lead and sorted(order) == list(range(x.rank - 1)):
        help = f"write {[0, *(axis + 1 for axis in order)]}: axis 0 is the batch"
    else:
        help = f"write all axes, such as {[*range(lead), *reversed(range(lead, x.rank))]}"
    raise call.error(f"the axes of `transpose` of {x} are {list(range(x.rank))} in another order, not {given}", help, at="axes")


def _swapaxes_rule(call: Call) -> Term:
    x: Term = call["x"]
    order = list(range(x.rank))
    first, second = call.axis("axis1", x), call.axis("axis2", x)
    order[first], order[second] = second, first
    return _permuted(call, order)


def _draw_transpose(rng: np.random.Generator) -> Case:
    rank = int(rng.integers(2, 6))
    order = [0, *map(int, rng.permutation(range(1, rank)))]
    text = f"transpose(a, {order})" if rng.random() < 0.7 else "transpose(a)"
    return Case(text, {"a": rng.normal(size=(3, *rng.integers(1, 5, rank - 1))).astype(np.float32)})


def _draw_swapaxes(rng: np.random.Generator) -> Case:
    rank = int(rng.integers(3, 6))
    first, second = rng.choice(range(1, rank), 2, replace=False)
    x = rng.normal(size=(3, *rng.integers(1, 5, rank - 1))).astype(np.float32)
    return Case(f"swapaxes(a, {first}, {second - rank})", {"a": x})


def _permutation(name: str, signature: str, rule: Any, draw: Any, summary: str) -> Function:
    return Function(
        name,
        parameters(signature),
        rule,
        lambda n, c, x: np.transpose(x, c["order"]),
        lambda k, c, x: k.ops.transpose(x, c["order"]),
        lambda b, c, x: b.op("Transpose", x, perm=list(c["order"])),
        draw,
        summary,
    )


# --- axes of size 1 -------------------------------------------------------------------------------------------------------


def _expand_dims_rule(call: Call) -> Term:
    x: Term = call["x"]
    given = call["axis"]
    axes = call.axes("axis", x, extra=1 if isinstance(given, int) else len(given))
    own = iter(range(x.rank))
    kept = [None if axis in axes else next(own) for axis in range(x.rank + len(axes))]
    return _like(call, x, [1 if axis is None else x.shape[axis] for axis in kept], kept, axes=axes)


def _draw_expand_dims(rng: np.random.Generator) -> Case:
    rank = int(rng.integers(2, 5))
    axis = rng.choice([str(rng.integers(1, rank + 1)), "-1", f"[1, {rank + 1}]", "[-2, 1]"])
    return Case(f"expand_dims(a, {axis})", {"a": rng.normal(size=(3, *rng.integers(1, 5, rank - 1))).astype(np.float32)})


def _squeeze_rule(call: Call) -> Term:
    x: Term = call["x"]
    axes = call.axes("axis", x)
    for axis in axes:
        size = x.shape[axis]
        if same_size(size, 1) is False:
            raise call.error(
                f"`squeeze` removes axes of size 1: axis {axis} of {x} has size {size_text(size)}",
                "select a position, such as `x[:, 0]`, or reduce the axis, such as `mean(x, axis=1)`",
                at="axis",
            )
        call.same(size, 1, "axis")
    kept = [axis for axis in range(x.rank) if axis not in axes]
    return _like(call, x, [x.shape[axis] for axis in kept], kept, axes=axes)


def _draw_squeeze(rng: np.random.Generator) -> Case:
    shape = [3, *rng.integers(2, 5, rng.integers(1, 3))]
    axis = int(rng.integers(1, len(shape) + 1))
    shape.insert(axis, 1)
    if rng.random() < 0.3:
        return Case(f"squeeze(a, [1, {axis + 1}])", {"a": rng.normal(size=(3, 1, *shape[1:])).astype(np.float32)})
    return Case(f"squeeze(a, {axis - rng.choice([0, len(shape)])})", {"a": rng.normal(size=shape).astype(np.float32)})


def _without(axes: Sequence[int], rank: int) -> tuple[Any, ...]:
    """An index that removes axes of size 1; TensorFlow's `squeeze` refuses sizes that are known only at run time."""
    return tuple(0 if axis in axes else slice(None) for axis in range(rank))


# --- repetition -----------------------------------------------------------------------------------------------------------


def _broadcast_rule(call: Call) -> Term:
    x: Term = call["x"]
    own, sizes = _example(x), known_sizes(call, "shape")
    lead = 1 if x.is_batched else 0
    if len(own) != len(sizes) and not x.is_number:
        if len(sizes) < len(own):
            help = "write the size of each axis of one example, without the batch"
        else:
            help = "add the axes: write `expand_dims(…, 1)`, with the position of the new axis"
        raise call.error(f"`broadcast_to` of {x} needs {len(own)} sizes, got {len(sizes)}", help, at="shape")
    if x.is_number:
        kept: list[int | None] = [None] * len(sizes)
    else:
        kept = []
        for axis, (size, wanted) in enumerate(zip(own, sizes, strict=True)):
            if size != 1 and same_size(size, wanted) is False:
                raise call.error(
                    f"`broadcast_to` repeats axes of size 1: axis {axis + lead} of {x} has size {size_text(size)}",
                    "write its size, or `tile` it",
                    at="shape",
                )
            kept.append(axis + lead if size != 1 or wanted == 1 else None)
            if size != 1:
                call.same(size, wanted, "shape")
    return _like(call, x, [*x.shape[:lead], *sizes], [*range(lead), *kept], sizes=call["shape"])


def _draw_broadcast(rng: np.random.Generator) -> Case:
    texts = [
        "broadcast_to(a[:, :1], [4, 3])",
        "broadcast_to(a[:, :1], [a.shape[2] + 2, 3])",
        "broadcast_to(expand_dims(a, 1), [4, a.shape[1], a.shape[2]])",
        "broadcast_to(expand_dims(a[:, 0], 1), [2, 3])",
        "broadcast_to(a[:, :1, :1], [2, 6])",
        "a[:, :1] + broadcast_to(2, [4, 3])",
        "a[:, :1] * broadcast_to([[1], [2]], [2, a.shape[2]])",
    ]
    return Case(str(rng.choice(texts)), {"a": rng.normal(size=(3, 1, 3)).astype(np.float32)})


def _tile_rule(call: Call) -> Term:
    x: Term = call["x"]
    own, repeats = _example(x), known_sizes(call, "repeats")
    lead = 1 if x.is_batched else 0
    if len(repeats) != len(own):
        if lead and len(repeats) == x.rank:
            help = "omit the batch axis"
        else:
            help = "write one number for each axis of one example, 1 for those that stay"
        raise call.error(f"`tile` of {x} needs {len(own)} repeats, got {len(repeats)}", help, at="repeats")
    kept = [axis + lead if count == 1 else None for axis, count in enumerate(repeats)]
    shape = [size * count for size, count in zip(own, repeats, strict=True)]
    return _like(call, x, [*x.shape[:lead], *shape], [*range(lead), *kept], repeats=call["repeats"])


def _draw_tile(rng: np.random.Generator) -> Case:
    rank = int(rng.integers(1, 4))
    repeats: list[Any] = [int(count) for count in rng.integers(1, 4, rank)]
    if rng.random() < 0.3:
        repeats[0] = "a.shape[1]"
    text = f"tile(a, [{', '.join(map(str, repeats))}])"
    return Case(text, {"a": rng.normal(size=(3, *rng.integers(1, 4, rank))).astype(np.float32)})


def _repeats(n: Any, c: Application) -> tuple[Any, ...]:
    return (*((1,) if c.operands[0].is_batched else ()), *n.sizes(c["repeats"]))


# --- pad ------------------------------------------------------------------------------------------------------------------

_MODES = ("constant", "reflect", "symmetric", "edge")


def _pad_widths(call: Call, x: Term) -> list[tuple[int, int]]:
    """The positions added before and after each axis of one example."""
    rank = len(_example(x))
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
        return _like(call, x, shape, kept, **plan)
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
    return Case(f"pad(a, {widths}{extra})", {"a": rng.normal(size=(3, *rng.integers(3, 6, rank))).astype(np.float32)})


# --- triangles ------------------------------------------------------------------------------------------------------------


def _triangle(name: str, summary: str, upper: int) -> Function:
    def rule(call: Call) -> Term:
        x: Term = call["x"]
        if len(_example(x)) < 2:
            raise call.error(f"{call.name} takes matrices: {x} has fewer than 2 axes behind the batch", at="x")
        term = _like(call, x, x.shape, range(x.rank), k=call["k"])
        # What is kept of a position depends on where it is, so a part of the axis is not computed alone.
        places = frozenset((each, axes[axis]) for each, axes in x.axes.items() for axis in (-2, -1) if axes[axis] is not None)
        return replace(term, sizes=term.sizes | places)  # type: ignore[arg-type]

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
        x = rng.integers(1, 9, shape).astype(np.int32) if rng.random() < 0.2 else rng.normal(size=shape).astype(np.float32)
        return Case(f"{name}(a, {k})" if k else f"{name}(a)", {"a": x})

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
    _RESHAPE,
    _permutation(
        "transpose",
        "x, axes: axes = None",
        _transpose_rule,
        _draw_transpose,
        "Gives the axes another order, `[0, 2, 1]`; by default it reverses those of each example.",
    ),
    _permutation("swapaxes", "x, axis1: axis, axis2: axis", _swapaxes_rule, _draw_swapaxes, "Exchanges two axes."),
    Function(
        "expand_dims",
        parameters("x, axis: axes"),
        _expand_dims_rule,
        lambda n, c, x: np.expand_dims(x, c["axes"]),
        lambda k, c, x: k.ops.expand_dims(x, c["axes"]),
        lambda b, c, x: b.op("Unsqueeze", x, b.ints(list(c["axes"]), "axes")),
        _draw_expand_dims,
        "Adds axes of size 1 at these positions of the result.",
    ),
    Function(
        "squeeze",
        parameters("x, axis: axes"),
        _squeeze_rule,
        lambda n, c, x: np.squeeze(x, c["axes"]),
        lambda k, c, x: x[_without(c["axes"], c.operands[0].rank)],
        lambda b, c, x: b.op("Squeeze", x, b.ints(list(c["axes"]), "axes")),
        _draw_squeeze,
        "Removes axes of size 1.",
    ),
    Function(
        "broadcast_to",
        parameters("x, shape: sizes"),
        _broadcast_rule,
        lambda n, c, x: np.broadcast_to(x, expanded(n, c, x, n.sizes(c["sizes"]))),
        lambda k, c, x: k.ops.broadcast_to(x, expanded(k, c, x, k.sizes(c["sizes"]))),
        lambda b, c, x: b.op("Expand", x, with_batch(b, c, 1, c["sizes"])),
        _draw_broadcast,
        "Repeats axes of size 1 up to the shape of one example.",
    ),
    Function(
        "tile",
        parameters("x, repeats: sizes"),
        _tile_rule,
        lambda n, c, x: np.tile(x, _repeats(n, c)),
        lambda k, c, x: k.ops.tile(x, _repeats(k, c)),
        lambda b, c, x: b.op("Tile", x, with_batch(b, c, 1, c["repeats"])),
        _draw_tile,
        "Repeats each example along its axes, as a whole.",
    ),
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
