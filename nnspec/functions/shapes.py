"""Functions that change the shape of each example; see `padding` for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import gcd
from typing import Any

from nnspec.functions import padding
from nnspec.functions.base import Call, Case, Function, parameters
from nnspec.functions.draws import draw_any, draw_floats
from nnspec.functions.elementwise import number
from nnspec.functions.lazy_numpy import np
from nnspec.functions.padding import example, like
from nnspec.functions.terms import Application, Term
from nnspec.types import Dim, product, same_size, size_text, unknown
from nnspec.types.dims import exact_quotient

__all__ = ["FUNCTIONS", "expanded", "known_sizes", "with_batch"]


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


def _listed(shape: Sequence[int | Dim]) -> str:
    return f"[{', '.join(map(size_text, shape))}]"


# --- reshape --------------------------------------------------------------------------------------------------------------


def _reshape_rule(call: Call) -> Term:
    x: Term = call["x"]
    own, sizes = example(x), known_sizes(call, "newshape", inferred=True)
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
    return like(call, x, [*x.shape[:lead], *sizes], [*range(lead), *kept], sizes=tuple(terms))


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
    return Case(str(rng.choice(texts)), {"a": draw_any(rng, (3, 2, 3, 4))})


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
    return like(call, x, [x.shape[axis] for axis in order], order, order=tuple(order))


def _transpose_rule(call: Call) -> Term:
    x: Term = call["x"]
    given = call["axes"]
    lead = 1 if x.is_batched else 0
    if given is None and x.is_batched:
        help = f"write `transpose(…, {[0, *reversed(range(1, x.rank))]})`"
        raise call.error("without `axes`, `transpose` moves the batch axis", help, at=x)
    if given is None:
        return _permuted(call, [*range(lead), *reversed(range(lead, x.rank))])
    given = [given] if isinstance(given, int) else list(given)
    order = [axis if axis >= 0 else axis + x.rank for axis in given]
    if sorted(order) == list(range(x.rank)):
        if lead and order[0] != 0:
            order.remove(0)
            raise call.error("the batch axis, 0, must stay first", f"write `{[0, *order]}`", at="axes")
        return _permuted(call, order)
    if lead and sorted(order) == list(range(1, x.rank)):
        raise call.error(
            f"the axes of `transpose` count the batch, axis 0: {given} lacks it", f"write `{[0, *order]}`", at="axes"
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
    text = f"transpose(a, {order})"
    return Case(text, {"a": draw_any(rng, (3, *rng.integers(1, 5, rank - 1)))})


def _draw_swapaxes(rng: np.random.Generator) -> Case:
    rank = int(rng.integers(3, 6))
    first, second = rng.choice(range(1, rank), 2, replace=False)
    x = draw_any(rng, (3, *rng.integers(1, 5, rank - 1)))
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
    return like(call, x, [1 if axis is None else x.shape[axis] for axis in kept], kept, axes=axes)


def _draw_expand_dims(rng: np.random.Generator) -> Case:
    rank = int(rng.integers(2, 5))
    axis = rng.choice([str(rng.integers(1, rank + 1)), "-1", f"[1, {rank + 1}]", "[-2, 1]"])
    return Case(f"expand_dims(a, {axis})", {"a": draw_any(rng, (3, *rng.integers(1, 5, rank - 1)))})


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
    return like(call, x, [x.shape[axis] for axis in kept], kept, axes=axes)


def _draw_squeeze(rng: np.random.Generator) -> Case:
    shape = [3, *rng.integers(2, 5, rng.integers(1, 3))]
    axis = int(rng.integers(1, len(shape) + 1))
    shape.insert(axis, 1)
    if rng.random() < 0.3:
        return Case(f"squeeze(a, [1, {axis + 1}])", {"a": draw_any(rng, (3, 1, *shape[1:]))})
    return Case(f"squeeze(a, {axis - rng.choice([0, len(shape)])})", {"a": draw_any(rng, shape)})


def _without(axes: Sequence[int], rank: int) -> tuple[Any, ...]:
    """An index that removes axes of size 1; TensorFlow's `squeeze` refuses sizes that are known only at run time."""
    return tuple(0 if axis in axes else slice(None) for axis in range(rank))


# --- repetition -----------------------------------------------------------------------------------------------------------


def _broadcast_rule(call: Call) -> Term:
    x: Term = call["x"]
    own, sizes = example(x), known_sizes(call, "shape")
    lead = 1 if x.is_batched else 0
    if len(own) != len(sizes) and not x.is_number:
        if len(sizes) < len(own):
            help = "write the size of each axis of one example, without the batch"
        else:
            help = f"add the axes first: `broadcast_to(expand_dims(x, {lead}), …)`, with the position of the new axis"
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
    return like(call, x, [*x.shape[:lead], *sizes], [*range(lead), *kept], sizes=call["shape"])


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
    return Case(str(rng.choice(texts)), {"a": draw_floats(rng, (3, 1, 3))})


def _tile_rule(call: Call) -> Term:
    x: Term = call["x"]
    own, repeats = example(x), known_sizes(call, "repeats")
    lead = 1 if x.is_batched else 0
    if len(repeats) != len(own):
        if lead and len(repeats) == x.rank:
            help = "omit the batch axis"
        else:
            help = "write one number for each axis of one example, 1 for those that stay"
        raise call.error(f"`tile` of {x} needs {len(own)} repeats, got {len(repeats)}", help, at="repeats")
    kept = [axis + lead if count == 1 else None for axis, count in enumerate(repeats)]
    shape = [size * count for size, count in zip(own, repeats, strict=True)]
    return like(call, x, [*x.shape[:lead], *shape], [*range(lead), *kept], repeats=call["repeats"])


def _draw_tile(rng: np.random.Generator) -> Case:
    rank = int(rng.integers(1, 4))
    repeats: list[Any] = [int(count) for count in rng.integers(1, 4, rank)]
    if rng.random() < 0.3:
        repeats[0] = "a.shape[1]"
    text = f"tile(a, [{', '.join(map(str, repeats))}])"
    return Case(text, {"a": draw_any(rng, (3, *rng.integers(1, 4, rank)))})


def _repeats(n: Any, c: Application) -> tuple[Any, ...]:
    return (*((1,) if c.operands[0].is_batched else ()), *n.sizes(c["repeats"]))


# --- table ----------------------------------------------------------------------------------------------------------------

_ALL = (
    _RESHAPE,
    _permutation(
        "transpose",
        "x, axes: axes = None",
        _transpose_rule,
        _draw_transpose,
        "Gives the axes another order, `[0, 2, 1]`; of a constant, by default in reverse.",
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
)
FUNCTIONS: Mapping[str, Function] = {**{function.name: function for function in _ALL}, **padding.FUNCTIONS}
