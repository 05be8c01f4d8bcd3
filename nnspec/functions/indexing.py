"""Indexing, and sizes of tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nnspec.functions.base import Call, Case, Context, Function
from nnspec.functions.lazy_numpy import np
from nnspec.functions.terms import INT, Application, Term
from nnspec.types import Dim, ceil_div, size_text

__all__ = ["FUNCTIONS", "indexed", "size_of"]


# --- x.shape[1] -----------------------------------------------------------------------------------------------------------


def size_of(x: Term, axis: int, at: tuple[int, int], context: Context) -> Term:
    """The size of an axis that is known only at run time.

    Args:
        x: The tensor.
        axis: The axis, as a position from 0.
        at: Where it stands.
        context: Where constraints are collected.
    """
    term = Call(_SIZE, {}, at, {}, context).result((), INT, [x], [()], axis=axis)
    origin = x.axes.items()
    known = frozenset((name, place) for name, axes in origin if (place := axes[axis]) is not None)
    return replace(term, weak=True, value=x.shape[axis], sizes=term.sizes | known)


_SIZE = Function(
    "shape",
    (),
    lambda call: (),
    lambda n, c, x: x.shape[c["axis"]],
    lambda k, c, x: k.ops.shape(x)[c["axis"]],
    lambda b, c, x: b.size_of(x, c["axis"]),
    lambda rng: Case("a * a.shape[1]", {"a": rng.normal(size=(3, 4)).astype(np.float32)}),
    "The size of an axis.",
)

# --- x[:, 1:] -------------------------------------------------------------------------------------------------------------


def indexed(x: Term, items: Sequence[Any], at: tuple[int, int], context: Context) -> Term:
    """``x[items]``.

    Args:
        x: The tensor.
        items: For each axis an integer or size as a term, a slice of such, `...`, or None for a new axis.
        at: The position of the brackets.
        context: Where constraints are collected.

    Raises:
        ExpressionError: If the index does not fit the tensor, or touches the batch axis.
    """
    call = Call(_INDEX, {}, at, {}, context, "[ ]")
    count = sum(item is not None and item is not ... for item in items)
    if sum(item is ... for item in items) > 1:
        raise call.error("an index has at most one `...`", "write `:` for a single axis")
    if count > x.rank:
        batch = ", the batch included" if x.is_batched else ""
        raise call.error(f"{count} indices for {x}, which has {x.rank} axes{batch}", f"write at most {x.rank} indices")
    whole = slice(None, None, None)
    if ... not in items:
        items = [*items, ...]
    dots = list(items).index(...)
    items = [*items[:dots], *[whole] * (x.rank - count), *items[dots + 1 :]]
    first = next((item for item in items), None)
    if x.is_batched and not (isinstance(first, slice) and first == whole):
        raise call.error(
            "axis 0 is the batch axis: an expression describes one example, and cannot index it", "begin the index with `:,`"
        )
    shape: list[int | Dim] = []
    kept: list[int | None] = []
    plan: list[tuple[str, Any, Any, Any]] = []
    axis = 0
    for item in items:
        if item is None:
            shape.append(1)
            kept.append(None)
            plan.append(("new", None, None, None))
            continue
        size = x.shape[axis]
        if isinstance(item, slice):
            plan.append(("slice", item.start, item.stop, item.step))
            if item == whole:
                shape.append(size)
                kept.append(axis)
            else:
                shape.append(_slice_size(call, size, item))
                kept.append(None)
        else:
            _check_position(call, size, item)
            plan.append(("index", item, None, None))
        axis += 1
    terms = tuple(each for entry in plan for each in entry[1:] if isinstance(each, Term))
    return call.result(shape, x.dtype, [x], [kept], plan=tuple(plan), terms=terms)


def _check_position(call: Call, size: int | Dim, item: Term) -> None:
    value = item.value
    if isinstance(value, int):
        if isinstance(size, int):
            if not -size <= value < size:
                help = f"use an index from 0 to {size - 1}, or from -{size} to -1"
                raise call.error(f"the index {value} is out of range: the axis has {size} positions", help, at=item)
        else:
            call.context.positive.append(size - (value if value >= 0 else -value - 1))


def _slice_size(call: Call, size: int | Dim, item: slice) -> int | Dim:
    start, stop, step = (None if each is None else each.value for each in (item.start, item.stop, item.step))
    step = 1 if step is None else step
    if not isinstance(step, int) or step == 0:
        raise call.error("the step of a slice must be an integer other than 0", at=item.step)
    if isinstance(size, int) and all(each is None or isinstance(each, int) for each in (start, stop)):
        found = len(range(*slice(start, stop, step).indices(size)))
        if not found:
            raise call.error(f"the slice is empty: the axis has {size} positions", "write a stop that is behind the start")
        return found
    if any(each is not None and value is None for each, value in ((item.start, start), (item.stop, stop))):
        raise call.error("the bounds of a slice must be integers or sums and products of sizes")
    if step < 0:
        if start is None and stop is None:
            return ceil_div(size, -step)
        raise call.error("a slice of a free size with a negative step takes no bounds", "write `flip(x[…], axis)`")
    for bound in (start, stop):
        if _is_from_the_end(bound) and isinstance(bound, Dim):
            call.context.positive.append(bound * -1)  # a bound of 0 would count from the start
    first = _from_start(0 if start is None else start, size)
    behind = size if stop is None else _from_start(stop, size)
    for bound in (first, behind):
        call.context.positive.append(size - bound + 1)
        call.context.positive.append(bound + 1)
    left = ceil_div(behind - first, step)
    if isinstance(left, int) and left < 1:
        raise call.error(f"the slice is empty: it has {size_text(left)} positions")
    call.context.positive.append(left)
    return left


def _from_start(bound: Any, size: int | Dim) -> Any:
    """A bound counted from the start; one that is negative counts from the end, as ``-1`` and ``-(T // 2)``."""
    return size + bound if _is_from_the_end(bound) else bound


def _is_from_the_end(bound: Any) -> bool:
    if isinstance(bound, Dim):
        return all(factor < 0 for _, factor in bound.terms)
    return isinstance(bound, int) and bound < 0


def _bounds(n: Any, c: Application) -> Any:
    """The index as Python's, with sizes evaluated by ``n``."""
    found: list[Any] = []
    for kind, *given in c["plan"]:
        a, b, step = (None if each is None else n.size(each) for each in given)
        found.append(None if kind == "new" else a if kind == "index" else slice(a, b, step))
    return tuple(found)


def _onnx(b: Any, c: Application, x: str) -> str:
    axis, removed, added, place = 0, [], [], 0
    starts, stops, axes, steps = [], [], [], []
    for kind, start, stop, step in c["plan"]:
        if kind == "new":
            added.append(place)
            place += 1
            continue
        if kind == "index" or (start, stop, step) != (None, None, None):
            stride = 1 if step is None else step.value
            if kind == "index":
                first = b.sizes([start])
                last = b.ints([2**62], "end") if start.value == -1 else b.op("Add", first, b.ints([1], "one"))
            else:
                first = b.ints([0 if stride > 0 else 2**62], "from") if start is None else b.sizes([start])
                last = b.ints([2**62 if stride > 0 else -(2**62)], "end") if stop is None else b.sizes([stop])
            starts.append(first)
            stops.append(last)
            axes.append(axis)
            steps.append(stride)
        if kind == "index":
            removed.append(axis)
        else:
            place += 1
        axis += 1
    if axes:
        one = len(axes) == 1
        first = starts[0] if one else b.op("Concat", *starts, axis=0)
        last = stops[0] if one else b.op("Concat", *stops, axis=0)
        x = b.op("Slice", x, first, last, b.ints(axes, "axes"), b.ints(steps, "steps"))
    if removed:
        x = b.op("Squeeze", x, b.ints(removed, "axes"))
    return b.op("Unsqueeze", x, b.ints(added, "axes")) if added else x


def _draw(rng: np.random.Generator) -> Case:
    text = rng.choice(
        ["a[:, 1:]", "a[:, 0]", "a[:, -1]", "a[:, ::2]", "a[:, ::-1]", "a[..., null]", "a[:, null, 1:3]", "a[..., :-1]",
         "a[:, a.shape[1] - 2]", "a[..., 1:, -2]", "a[:, 3:1:-1]"]
    )  # fmt: skip
    return Case(str(text), {"a": rng.normal(size=(3, 4, 5)).astype(np.float32)})


_INDEX = Function(
    "indexing",
    (),
    lambda call: (),
    lambda n, c, x: x[_bounds(n, c)],
    lambda k, c, x: x[_bounds(k, c)],
    _onnx,
    _draw,
    "The positions that an index selects, as in NumPy: integers, slices, `...` and `null`.",
)

FUNCTIONS: Mapping[str, Function] = {"indexing": _INDEX, "shape": _SIZE}
