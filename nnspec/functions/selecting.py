"""Selecting elements by indices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnspec.functions.base import NAMES, Call, Case, Function, parameters
from nnspec.functions.draws import draw_any, draw_shape, drawn_axis
from nnspec.functions.dtypes import with_dtype
from nnspec.functions.lazy_numpy import np
from nnspec.functions.terms import BATCH, FLOAT, INT, Application, Literal, Term
from nnspec.types import Dim, size_text

__all__ = ["FUNCTIONS", "shape_with"]


def shape_with(b: Any, x: str, axis: int, rank: int, size: int) -> str:
    """The shape of a tensor with another size along an axis."""
    before = [b.op("Shape", x, start=0, end=axis)] if axis else []
    after = [b.op("Shape", x, start=axis + 1, end=rank)] if axis + 1 < rank else []
    parts = [*before, b.ints([size], "size"), *after]
    return parts[0] if len(parts) == 1 else b.op("Concat", *parts, axis=0)  # type: ignore[no-any-return]


def _indices(call: Call, size: int | Dim) -> Term:
    """The indices of a selection; those that are known are checked against the size.

    Raises:
        ExpressionError: If they are no integers, or out of range.
    """
    indices: Term = call["indices"]
    if indices.dtype != INT:
        raise call.error(
            f"the indices of {call.name} are integers, not {NAMES[indices.dtype]} tensor",
            "write `cast(…, 'int32')`" if indices.dtype == FLOAT else "write `where(condition, a, b)` to select by a condition",
            at=indices,
        )
    if isinstance(indices.origin, Literal):
        known = np.asarray(indices.origin.value)
        for value in (int(known.min()), int(known.max())) if known.size else ():
            if isinstance(size, int) and not -size <= value < size:
                raise call.error(f"the index {value} is out of range: the axis has {size_text(size)} positions", at=indices)
            call.context.positive.append(size + value + 1 if value < 0 else size - value)
    return indices


def _take_rule(call: Call) -> Term:
    x: Term = call["x"]
    axis = call.axis("axis", x)
    indices = _indices(call, x.shape[axis])
    lead = int(indices.is_batched)
    batch = [BATCH] if x.is_batched or indices.is_batched else []
    before = list(range(int(x.is_batched), axis))
    after = list(range(axis + 1, x.rank))
    new = list(range(lead, indices.rank))
    shape = [*batch, *(x.shape[each] for each in before)]
    shape += [*(indices.shape[each] for each in new), *(x.shape[each] for each in after)]
    of_x = [*(0 if x.is_batched else None for _ in batch), *before, *(None for _ in new), *after]
    of_indices = [*(0 if lead else None for _ in batch), *(None for _ in before), *new, *(None for _ in after)]
    counts = {"before": len(before), "new": len(new), "after": len(after)}
    both = x.is_batched and indices.is_batched
    return call.result(shape, x.dtype, [x, indices], [of_x, of_indices], axis=axis, both=both, **counts)


def _order(c: Application) -> list[int] | None:
    """How to transpose (batch, new, before, after) or (before, batch, new, after) to the result; None if it is."""
    before, new, after = c["before"], c["new"], c["after"]
    if c["both"]:
        order = [0, *range(1 + new, 1 + new + before), *range(1, 1 + new), *range(1 + new + before, 1 + new + before + after)]
    elif c.operands[1].is_batched:
        order = [before, *range(before), *range(before + 1, before + 1 + new + after)]
    else:
        return None
    return None if order == sorted(order) else order


def _front(c: Application) -> list[int]:
    """How to transpose the tensor so that the selected axis follows the batch."""
    axis = c["axis"]
    return [0, axis, *(each for each in range(1, c.operands[0].rank) if each != axis)]


def _numpy_take(n: Any, c: Application, x: Any, indices: Any) -> Any:
    if c["both"]:
        return np.stack([np.take(each, own, c["axis"] - 1) for each, own in zip(x, indices, strict=True)])
    found = np.take(x, indices, c["axis"])
    return found if (order := _order(c)) is None else np.transpose(found, order)


def _keras_take(k: Any, c: Application, x: Any, indices: Any) -> Any:
    ops = k.ops
    axis = c["axis"]
    indices = ops.where(indices < 0, indices + ops.shape(x)[axis], indices)
    if c["both"]:  # one selection from all examples in a row
        x = ops.transpose(x, _front(c))
        batch, size, *rest = ops.shape(x)
        start = ops.reshape(ops.arange(batch, dtype="int32") * size, (-1, *[1] * c["new"]))
        x, indices, axis = ops.reshape(x, (-1, *rest)), indices + start, 0
    found = ops.take(x, indices, axis=axis)
    return found if (order := _order(c)) is None else ops.transpose(found, order)


_INT64 = 7
"""ONNX's number of the dtype that `GatherND` requires."""


def _onnx_take(b: Any, c: Application, x: str, indices: str) -> str:
    if c["both"]:
        front = _front(c)
        x = x if front == sorted(front) else b.op("Transpose", x, perm=front)
        places = b.op("Unsqueeze", b.op("Cast", indices, to=_INT64), b.ints([-1], "axes"))
        found = b.op("GatherND", x, places, batch_dims=1)
    else:
        found = b.op("Gather", x, indices, axis=c["axis"])
    order = _order(c)
    return found if order is None else b.op("Transpose", found, perm=order)  # type: ignore[no-any-return]


def _draw_indices(rng: np.random.Generator, size: int, shape: Sequence[int]) -> Any:
    return rng.integers(-size, size, shape).astype(np.int32)


def _draw_take(rng: np.random.Generator) -> Case:
    shape = draw_shape(rng)
    axis = drawn_axis(rng, len(shape))
    own = [int(each) for each in rng.integers(1, 4, rng.integers(0, 3))]
    kind = rng.integers(4)
    if kind == 0:  # constant indices
        return Case(f"take(a, {_draw_indices(rng, shape[axis], own).tolist()}, axis={axis})", {"a": draw_any(rng, shape)})
    if kind == 1:  # a constant table
        table = rng.integers(-3, 4, [int(each) for each in rng.integers(1, 4, 2)])
        which = int(rng.integers(2))
        return Case(f"take({table.tolist()}, i, axis={which})", {"i": _draw_indices(rng, table.shape[which], [3, *own])})
    indices = _draw_indices(rng, shape[axis], [3, *own])
    return Case(f"take(a, i, axis={axis})", {"a": draw_any(rng, shape), "i": indices})


TAKE = Function(
    "take",
    parameters("x, indices, axis: axis"),
    _take_rule,
    _numpy_take,
    _keras_take,
    _onnx_take,
    _draw_take,
    "The elements of `x` at indices along an axis, for each example with its own indices; their axes replace the axis.",
)


def _take_along_axis_rule(call: Call) -> Term:
    x, indices = call["x"], call["indices"]
    lead_x, lead_i = int(indices.is_batched and not x.is_batched), int(x.is_batched and not indices.is_batched)
    if x.rank + lead_x != indices.rank + lead_i:
        raise call.error(
            f"`take_along_axis` takes indices with the axes of the tensor, got {x} and {indices}",
            "write `take(x, indices, axis)`, or `expand_dims` around the indices",
            at=indices,
        )
    axis = call.axis("axis", x)
    place = axis + lead_x
    _indices(call, x.shape[axis])
    rank = x.rank + lead_x
    shape: list[int | Dim] = [1] * rank
    if x.is_batched or indices.is_batched:
        shape[0] = BATCH
    for term, lead in ((x, lead_x), (indices, lead_i)):
        for each, size in enumerate(term.shape, lead):
            if each != place:
                shape[each] = call.same(shape[each], size, term, one=True)
    shape[place] = indices.shape[place - lead_i]
    kept = [
        [
            None
            if each < lead or (each == place and term is x) or (term.shape[each - lead] == 1 and shape[each] != 1)
            else each - lead
            for each in range(rank)
        ]
        for term, lead in ((x, lead_x), (indices, lead_i))
    ]
    return call.result(shape, x.dtype, [x, indices], kept, axis=place)


def _aligned(ops: Any, c: Application, tensors: Sequence[Any]) -> list[Any]:
    """Give constants a batch axis of size 1."""
    rank = len(c.shape)
    return [x if term.rank == rank else ops.expand_dims(x, 0) for x, term in zip(tensors, c.operands, strict=True)]


def _numpy_take_along_axis(n: Any, c: Application, x: Any, indices: Any) -> Any:
    axis = c["axis"]
    x, indices = _aligned(np, c, (x, indices))
    shape = np.broadcast_shapes(np.take(x, [0], axis).shape, np.take(indices, [0], axis).shape)
    x, indices = (np.broadcast_to(each, (*shape[:axis], each.shape[axis], *shape[axis + 1 :])) for each in (x, indices))
    return np.take_along_axis(x, indices, axis)


def _keras_take_along_axis(k: Any, c: Application, x: Any, indices: Any) -> Any:
    x, indices = _aligned(k.ops, c, (x, indices))
    indices = k.ops.where(indices < 0, indices + k.ops.shape(x)[c["axis"]], indices)
    return k.ops.take_along_axis(x, indices, axis=c["axis"])


def _grows(c: Application, own: Term, other: Term) -> bool:
    """Whether an operand of `take_along_axis` must be broadcast to the other."""
    lead = len(c.shape) - own.rank
    return bool(lead) or any(size == 1 and c.shape[each] != 1 for each, size in enumerate(own.shape) if each != c["axis"])


def _onnx_take_along_axis(b: Any, c: Application, x: str, indices: str) -> str:
    axis, rank = c["axis"], len(c.shape)
    shapes = {
        name: shape_with(b, name, axis - (rank - term.rank), term.rank, 1)
        for name, term, other in zip((x, indices), c.operands, c.operands[::-1], strict=True)
        if _grows(c, other, term)
    }
    full_x = b.op("Expand", x, shapes[indices]) if indices in shapes else x
    full_indices = b.op("Expand", indices, shapes[x]) if x in shapes else indices
    return b.op("GatherElements", full_x, full_indices, axis=axis)  # type: ignore[no-any-return]


def _draw_take_along_axis(rng: np.random.Generator) -> Case:
    shape = draw_shape(rng)
    axis = drawn_axis(rng, len(shape))
    own = list(shape)
    own[axis] = int(rng.integers(1, 4))
    a, i = draw_any(rng, shape), _draw_indices(rng, shape[axis], own)
    kind = rng.integers(4)
    if kind == 0:  # constant indices
        return Case(f"take_along_axis(a, {i[0].tolist()}, axis={axis})", {"a": a})
    if kind == 1:  # a constant tensor, whose axes count from 0
        table = rng.integers(-3, 4, shape[1:]).tolist()
        return Case(f"take_along_axis({table}, i, axis={axis if axis < 0 else axis - 1})", {"i": i})
    names = ["a", "i"]
    other = int(rng.integers(1, len(shape)))
    if kind == 2 and other != axis % len(shape):  # one is broadcast
        names[rng.integers(2)] += f"[{':, ' * other}:1]"
    return Case(f"take_along_axis({', '.join(names)}, axis={axis})", {"a": a, "i": i})


TAKE_ALONG_AXIS = Function(
    "take_along_axis",
    parameters("x, indices, axis: axis"),
    _take_along_axis_rule,
    _numpy_take_along_axis,
    _keras_take_along_axis,
    _onnx_take_along_axis,
    _draw_take_along_axis,
    "The elements of `x` at indices along an axis, with indices of their own at each position of the other axes.",
)


def _one_hot_rule(call: Call) -> Term:
    x: Term = call["x"]
    if x.dtype != INT:
        raise call.error(f"`one_hot` takes classes as integers, not {NAMES[x.dtype]} tensor", "write `cast(…, 'int32')`", at=x)
    classes: Term = call["num_classes"]
    if isinstance(classes.value, int) and classes.value < 1:
        raise call.error(f"`num_classes` of `one_hot` must be at least 1, not {classes.value}", at="num_classes")
    if not isinstance(classes.value, int | Dim):
        raise call.error("`num_classes` of `one_hot` must be an integer, or a sum or product of sizes", at="num_classes")
    axis = call.axis("axis", x, extra=1)
    shape = [*x.shape[:axis], classes.value, *x.shape[axis:]]
    return call.result(shape, FLOAT, [x], [[*range(axis), None, *range(axis, x.rank)]], axis=axis, classes=classes)


def _places(c: Application) -> tuple[int, ...]:
    """The shape of the classes, along their axis."""
    return (-1, *[1] * (len(c.shape) - c["axis"] - 1))


def _numpy_one_hot(n: Any, c: Application, x: Any) -> Any:
    classes = np.arange(n.size(c["classes"])).reshape(_places(c))
    return (np.expand_dims(x, c["axis"]) == classes).astype(n.dtype(FLOAT))


def _keras_one_hot(k: Any, c: Application, x: Any) -> Any:
    classes = k.ops.reshape(k.ops.arange(k.size(c["classes"]), dtype="int32"), _places(c))
    return k.cast(k.ops.equal(k.ops.expand_dims(x, c["axis"]), classes), FLOAT)


def _onnx_one_hot(b: Any, c: Application, x: str) -> str:
    size = c["classes"].value
    if isinstance(size, int):
        classes = b.constant(np.arange(size, dtype=np.int32).reshape(_places(c)), "classes", INT)
    else:
        stop = b.op("Squeeze", b.sizes([c["classes"]]), b.ints([0], "axes"))
        row = b.op("Range", b.integer(0), b.cast(stop, INT), b.integer(1))
        classes = b.op("Reshape", row, b.ints(list(_places(c)), "shape"))
    return b.cast(b.op("Equal", b.op("Unsqueeze", x, b.ints([c["axis"]], "axes")), classes), FLOAT)  # type: ignore[no-any-return]


def _draw_one_hot(rng: np.random.Generator) -> Case:
    shape = draw_shape(rng, 1)
    count = int(rng.integers(1, 5))
    classes = rng.choice([str(count), "a.shape[1]"]) if len(shape) > 1 else str(count)
    axis = rng.choice(["", f", axis={drawn_axis(rng, len(shape) + 1)}"])
    return Case(f"one_hot(a, {classes}{axis})", {"a": rng.integers(-2, count + 2, shape).astype(np.int32)})


ONE_HOT = with_dtype(
    Function(
        "one_hot",
        parameters("x, num_classes: size, axis: axis = -1"),
        _one_hot_rule,
        _numpy_one_hot,
        _keras_one_hot,
        _onnx_one_hot,
        _draw_one_hot,
        "1 at the class and 0 elsewhere, along a new axis; all 0 for a class that is out of range.",
    )
)

FUNCTIONS: Mapping[str, Function] = {function.name: function for function in (TAKE, TAKE_ALONG_AXIS, ONE_HOT)}
