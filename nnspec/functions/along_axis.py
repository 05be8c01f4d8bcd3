"""Functions along one axis: normalizing, sorting, moving and joining; see `selecting` for the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nnspec.functions import selecting
from nnspec.functions.base import Call, Case, Function, expanded, parameters
from nnspec.functions.draws import draw_any, draw_floats, draw_shape, draw_tied, drawn_axis
from nnspec.functions.lazy_numpy import np
from nnspec.functions.reductions import keras_norm, norm_order, numpy_norm, onnx_norm, without_negative_zero
from nnspec.functions.terms import INT, Application, Term
from nnspec.types import Dim

__all__ = ["FUNCTIONS"]


def _along(
    call: Call, x: Term, changed: Sequence[int], dtype: str = "", *, size: int | Dim | None = None, **arguments: Any
) -> Term:
    """The term of a function that changes axes, and keeps the others.

    Args:
        call: The call.
        x: The tensor.
        changed: The axes that change.
        dtype: The dtype of the result, if it is not that of the tensor.
        size: The new size of these axes, if it changes.
        **arguments: The arguments that the lowerings read.
    """
    shape = [x.shape[axis] if axis not in changed or size is None else size for axis in range(x.rank)]
    kept = [None if axis in changed else axis for axis in range(x.rank)]
    return call.result(shape, dtype or x.dtype, [x], [kept], **arguments)


def _draw_along(text: str, values: Callable[..., Any]) -> Callable[[np.random.Generator], Case]:
    """Draw ``{x}``, a tensor, and ``{axis}``."""

    def draw(rng: np.random.Generator) -> Case:
        shape = draw_shape(rng)
        return Case(text.format(x="a", axis=drawn_axis(rng, len(shape))), {"a": values(rng, shape)})

    return draw


def _size(b: Any, x: str, axis: int) -> str:
    """The size of an axis as an int64 vector."""
    return b.op("Shape", x, start=axis, end=axis + 1)  # type: ignore[no-any-return]


# --- normalizing ----------------------------------------------------------------------------------------------------------


def _softmax(name: str, operator: str, summary: str) -> Function:
    def rule(call: Call) -> Term:
        x = call.floats("x")
        axis = call.axis("axis", x)
        return _along(call, x, [axis], axis=axis)

    def in_numpy(n: Any, c: Application, x: Any) -> Any:
        shifted = x - np.max(x, axis=c["axis"], keepdims=True)
        total = np.sum(np.exp(shifted), axis=c["axis"], keepdims=True)
        return np.exp(shifted) / total if name == "softmax" else shifted - np.log(total)

    def in_keras(k: Any, c: Application, x: Any) -> Any:
        if name == "softmax" and x.shape[c["axis"]] == 1:
            return k.ops.ones_like(x)  # Keras warns, but a free size may be 1
        return getattr(k.ops, name)(x, axis=c["axis"])

    return Function(
        name,
        parameters("x, axis: axis = -1"),
        rule,
        in_numpy,
        in_keras,
        lambda b, c, x: b.op(operator, x, axis=c["axis"]),
        _draw_along(f"{name}({{x}}, axis={{axis}})", draw_floats),
        summary,
    )


_SMALLEST_NORM = 1e-7
"""Keras's default `epsilon`, the smallest norm that `normalize` divides by."""


def _normalize_rule(call: Call) -> Term:
    x = call.floats("x")
    axis = call.axis("axis", x)
    return _along(call, x, [axis], axis=axis, order=norm_order(call, "order"))


def _keras_normalize(k: Any, c: Application, x: Any) -> Any:
    norm = keras_norm(k, x, c["order"], (c["axis"],), True)
    zero = k.ops.equal(norm, 0)
    divisor = k.ops.where(zero, k.ops.ones_like(norm), k.ops.maximum(norm, _SMALLEST_NORM))
    return k.ops.where(zero, k.ops.zeros_like(x), x / divisor)  # the gradient at 0 is 0, not 1 / 1e-7


def _draw_normalize(rng: np.random.Generator) -> Case:
    shape = draw_shape(rng)
    order = rng.choice(["", ", order=1", ", order=2", ", order=inf"])
    return Case(f"normalize(a, axis={drawn_axis(rng, len(shape))}{order})", {"a": draw_floats(rng, shape)})


NORMALIZE = Function(
    "normalize",
    parameters("x, axis: axis = -1, order: number = 2"),
    _normalize_rule,
    lambda n, c, x: x / np.maximum(numpy_norm(x, c["order"], (c["axis"],), True), _SMALLEST_NORM),
    _keras_normalize,
    lambda b, c, x: b.op("Div", x, b.op("Max", onnx_norm(b, x, c["order"], [c["axis"]], True), b.number(_SMALLEST_NORM))),
    _draw_normalize,
    "`x` divided by its norm of order 2, 1 or `inf` along an axis; 0, with gradient 0, where the norm is 0.",
)


# --- sums and order -------------------------------------------------------------------------------------------------------


def _ordered_rule(dtype: str) -> Callable[[Call], Term]:
    def rule(call: Call) -> Term:
        x = call.numeric("x")
        axis = call.axis("axis", x)
        return _along(call, x, [axis], dtype, axis=axis)

    return rule


CUMSUM = Function(
    "cumsum",
    parameters("x, axis: axis"),
    _ordered_rule(""),
    lambda n, c, x: np.cumsum(x, axis=c["axis"]),
    lambda k, c, x: k.ops.cumsum(x, axis=c["axis"]),
    lambda b, c, x: b.op("CumSum", x, b.integer(c["axis"])),
    _draw_along("cumsum({x}, axis={axis})", draw_tied),
    "The sums of the elements up to each position.",
)


def _onnx_ordered(b: Any, c: Application, x: str) -> list[str]:
    """Sorted values and their indices; `TopK` is stable."""
    return b.ops("TopK", [x, _size(b, x, c["axis"])], 2, axis=c["axis"], largest=0)  # type: ignore[no-any-return]


SORT = Function(
    "sort",
    parameters("x, axis: axis = -1"),
    _ordered_rule(""),
    lambda n, c, x: np.sort(x, axis=c["axis"]),
    lambda k, c, x: k.ops.sort(x, axis=c["axis"]),
    lambda b, c, x: _onnx_ordered(b, c, x)[0],
    _draw_along("sort({x}, axis={axis})", draw_tied),
    "The elements in ascending order.",
)
ARGSORT = Function(
    "argsort",
    parameters("x, axis: axis = -1"),
    _ordered_rule(INT),
    lambda n, c, x: np.argsort(x, axis=c["axis"], stable=True),
    lambda k, c, x: k.cast(k.ops.argsort(without_negative_zero(k, x), axis=c["axis"]), INT),
    lambda b, c, x: b.cast(_onnx_ordered(b, c, x)[1], INT),
    _draw_along("argsort({x}, axis={axis})", draw_tied),
    "The indices that sort the elements in ascending order; equal ones stay in order.",
    is_discontinuous=True,
)


def _top_k_rule(call: Call) -> tuple[Term, ...]:
    x, k = call.numeric("x"), call["k"]
    axis = call.last_axis("x", x)
    size = x.shape[axis]
    if k < 1:
        raise call.error(f"`k` of `top_k` must be at least 1, not {k}", at="k")
    if isinstance(size, int) and k > size:
        raise call.error(f"`top_k` selects {k} of {size} elements", f"use a `k` up to {size}", at="k")
    call.context.positive.append(size - k + 1)
    shape, kept = (*x.shape[:axis], k), [(*range(axis), None)]
    return call.results([(shape, x.dtype, kept), (shape, INT, kept)], [x], k=k)


def _numpy_top_k(n: Any, c: Application, x: Any) -> tuple[Any, Any]:
    indices = np.argsort(-x, axis=-1, stable=True)[..., : c["k"]]
    return np.take_along_axis(x, indices, -1), indices


def _keras_top_k(k: Any, c: Application, x: Any) -> tuple[Any, Any]:
    indices = k.cast(k.ops.top_k(without_negative_zero(k, x), c["k"])[1], INT)
    return k.ops.take_along_axis(x, indices, axis=-1), indices


def _onnx_top_k(b: Any, c: Application, x: str) -> tuple[str, str]:
    values, indices = b.ops("TopK", [x, b.ints([c["k"]], "k")], 2, axis=len(c.shape) - 1)
    return values, b.cast(indices, INT)


def _draw_top_k(rng: np.random.Generator) -> Case:
    shape = draw_shape(rng)
    text = f"top_k(a, {rng.integers(1, shape[-1] + 1)})[{rng.integers(2)}]"
    return Case(text, {"a": draw_tied(rng, shape)})


TOP_K = Function(
    "top_k",
    parameters("x, k: int"),
    _top_k_rule,
    _numpy_top_k,
    _keras_top_k,
    _onnx_top_k,
    _draw_top_k,
    "A pair: the `k` largest elements along the last axis in descending order, and their indices; of equal ones, the lowest.",
    is_discontinuous=True,
)


# --- moving and repeating -------------------------------------------------------------------------------------------------


def _flip_rule(call: Call) -> Term:
    x: Term = call["x"]
    axes = call.axes("axis", x)
    return _along(call, x, axes, axes=axes)


def _onnx_flip(b: Any, c: Application, x: str) -> str:
    axes = c["axes"]
    first, last = b.ints([-1] * len(axes), "from"), b.ints([-(2**62)] * len(axes), "to")
    return b.op("Slice", x, first, last, b.ints(list(axes), "axes"), b.ints([-1] * len(axes), "steps"))  # type: ignore[no-any-return]


def _draw_flip(rng: np.random.Generator) -> Case:
    shape = draw_shape(rng)
    axes = [int(each) for each in rng.permutation(np.arange(1, len(shape)))[: rng.integers(1, len(shape))]]
    return Case(f"flip(a, axis={axes if rng.random() < 0.5 else axes[0]})", {"a": draw_any(rng, shape)})


FLIP = Function(
    "flip",
    parameters("x, axis: axes"),
    _flip_rule,
    lambda n, c, x: np.flip(x, c["axes"]),
    lambda k, c, x: k.ops.flip(x, axis=c["axes"]),
    _onnx_flip,
    _draw_flip,
    "The elements in reverse order along an axis, or several.",
)


def _roll_rule(call: Call) -> Term:
    x: Term = call["x"]
    axes = call.axes_as_written("axis", x)
    shifts = call["shift"] if isinstance(call["shift"], tuple) else (call["shift"],) * len(axes)
    if len(shifts) != len(axes) or not all(isinstance(shift, int) for shift in shifts):
        raise call.error("`roll` needs one shift for each axis", f"write `{[1] * len(axes)}`", at="shift")
    for axis, shift in zip(axes, shifts, strict=True):
        x = _along(call, x, [axis], axis=axis, shift=shift)
    return x


def _onnx_roll(b: Any, c: Application, x: str) -> str:
    axis, shift, size = c["axis"], c["shift"], c.shape[c["axis"]]
    if isinstance(size, int):
        split = b.ints([size - shift % size], "split")
    else:
        free = _size(b, x, axis)
        least = b.op("Max", free, b.ints([1], "one"))  # ONNX Runtime raises for a remainder by 0
        split = b.op("Sub", free, b.op("Mod", b.ints([shift], "shift"), least))
    along = b.ints([axis], "axis")
    first = b.op("Slice", x, b.ints([0], "from"), split, along)
    last = b.op("Slice", x, split, b.ints([2**62], "to"), along)
    return b.op("Concat", last, first, axis=axis)  # type: ignore[no-any-return]


def _draw_roll(rng: np.random.Generator) -> Case:
    shape = draw_shape(rng)
    shift, axis = str(rng.integers(-5, 6)), str(drawn_axis(rng, len(shape)))
    if rng.random() < 0.3 and len(shape) > 2:
        shift, axis = rng.choice([shift, f"[{shift}, 1]"]), "[1, -1]"
    return Case(f"roll(a, {shift}, axis={axis})", {"a": draw_any(rng, shape)})


ROLL = Function(
    "roll",
    parameters("x, shift: ints, axis: axes"),
    _roll_rule,
    lambda n, c, x: np.roll(x, c["shift"], c["axis"]),
    lambda k, c, x: k.ops.roll(x, c["shift"], axis=c["axis"]),
    _onnx_roll,
    _draw_roll,
    "The elements moved along an axis, or several, by `shift` positions; those that leave the end enter at the start.",
)


def _repeat_rule(call: Call) -> Term:
    x, repeats = call["x"], call["repeats"]
    axis = call.axis("axis", x)
    if repeats < 1:
        raise call.error(f"`repeats` of `repeat` must be at least 1, not {repeats}", at="repeats")
    return _along(call, x, [axis], size=x.shape[axis] * repeats, axis=axis, repeats=repeats)


def _onnx_repeat(b: Any, c: Application, x: str) -> str:
    axis, rank = c["axis"], len(c.shape)
    grown = b.ints([c["repeats"], *[1] * (rank - axis - 1)], "shape")
    repeated = b.op("Expand", b.op("Unsqueeze", x, b.ints([axis + 1], "axes")), grown)
    return b.op("Reshape", repeated, selecting.shape_with(b, x, axis, rank, -1))  # type: ignore[no-any-return]


def _draw_repeat(rng: np.random.Generator) -> Case:
    shape = draw_shape(rng)
    return Case(f"repeat(a, {rng.integers(1, 4)}, axis={drawn_axis(rng, len(shape))})", {"a": draw_any(rng, shape)})


REPEAT = Function(
    "repeat",
    parameters("x, repeats: int, axis: axis"),
    _repeat_rule,
    lambda n, c, x: np.repeat(x, c["repeats"], c["axis"]),
    lambda k, c, x: k.ops.repeat(x, c["repeats"], axis=c["axis"]),
    _onnx_repeat,
    _draw_repeat,
    "Each element along an axis `repeats` times in succession.",
)


# --- joining --------------------------------------------------------------------------------------------------------------


def _joined(call: Call, name: str) -> tuple[tuple[Term, ...], Term]:
    """Tensors to join, with a common dtype, and one with all axes; constants have the axes of an example.

    Raises:
        ExpressionError: If there is none, or their numbers of axes differ.
    """
    if not call[name]:
        raise call.error(f"{call.name} needs at least one tensor", at=name)
    terms = call.unified(*call[name])
    whole = next((term for term in terms if term.is_batched), terms[0])
    for term in terms:
        if term.rank + (whole.is_batched and not term.is_batched) == whole.rank:
            continue
        rank = term.rank + (whole.is_batched and not term.is_batched)
        shorter, longer = (term, whole) if rank < whole.rank else (whole, term)
        help = "write `full_like(x, …)` for a number" if term.is_number else f"write `{expanded(shorter, longer)}`"
        raise call.error(f"{call.name} takes tensors with the same number of axes, got {whole} and {term}", help, at=shorter)
    return terms, whole


def _in_full(ops: Any, c: Application, tensors: Sequence[Any]) -> list[Any]:
    """Broadcast constants over the batch."""
    batch = next((ops.shape(x)[0] for x, term in zip(tensors, c.operands, strict=True) if term.is_batched), None)
    return [
        x if term.is_batched or batch is None else ops.broadcast_to(x, (batch, *ops.shape(x)))
        for x, term in zip(tensors, c.operands, strict=True)
    ]


def _onnx_in_full(b: Any, c: Application, names: Sequence[str]) -> list[str]:
    whole = next((name for name, term in zip(names, c.operands, strict=True) if term.is_batched), None)
    found = []
    for name, term in zip(names, c.operands, strict=True):
        if whole is not None and not term.is_batched:
            batch = _size(b, whole, 0)
            ones = b.ints([1] * term.rank, "ones")
            name = b.op("Expand", name, b.op("Concat", batch, ones, axis=0) if term.rank else batch)
        found.append(name)
    return found


def _concatenate_rule(call: Call) -> Term:
    terms, whole = _joined(call, "xs")
    axis = call.axis("axis", whole)
    shape = list(whole.shape)
    shape[axis] = 0
    kept = []
    for term in terms:
        lead = whole.rank - term.rank
        for place, size in enumerate(term.shape, lead):
            shape[place] = shape[place] + size if place == axis else call.same(shape[place], size, term)
        own = [None if place == axis and len(terms) > 1 else place - lead for place in range(lead, whole.rank)]
        kept.append([*[None] * lead, *own])
    return call.result(shape, terms[0].dtype, terms, kept, axis=axis)


def _draw_concatenate(rng: np.random.Generator) -> Case:
    shape = draw_shape(rng)
    axis = drawn_axis(rng, len(shape))
    found = {}
    for name in "abc"[: rng.integers(1, 4)]:
        own = list(shape)
        own[axis] = int(rng.integers(1, 4))
        found[name] = draw_floats(rng, own)
    names = list(found)
    if len(shape) == 3 and rng.random() < 0.5:  # constants have the axes of one example
        own = shape[1:]
        own[axis if axis < 0 else axis - 1] = 1
        names.insert(int(rng.integers(len(names) + 1)), str(rng.integers(-3, 3, own).tolist()))
    return Case(f"concatenate([{', '.join(names)}], axis={axis})", found)


CONCATENATE = Function(
    "concatenate",
    parameters("xs: tensors, axis: axis"),
    _concatenate_rule,
    lambda n, c, *xs: np.concatenate(_in_full(np, c, xs), c["axis"]),
    lambda k, c, *xs: k.ops.concatenate(_in_full(k.ops, c, xs), axis=c["axis"]),
    lambda b, c, *xs: b.op("Concat", *_onnx_in_full(b, c, xs), axis=c["axis"]),
    _draw_concatenate,
    "Tensors joined along an axis.",
)


def _stack_rule(call: Call) -> Term:
    terms, whole = _joined(call, "x")
    axis = call.axis("axis", whole, extra=1)
    shape = list(whole.shape)
    kept = []
    for term in terms:
        lead = whole.rank - term.rank
        for place, size in enumerate(term.shape, lead):
            shape[place] = call.same(shape[place], size, term)
        own: list[int | None] = [None if place < lead else place - lead for place in range(whole.rank)]
        kept.append([*own[:axis], None, *own[axis:]])
    return call.result([*shape[:axis], len(terms), *shape[axis:]], terms[0].dtype, terms, kept, axis=axis)


def _onnx_stack(b: Any, c: Application, *xs: str) -> str:
    axes = b.ints([c["axis"]], "axes")
    return b.op("Concat", *(b.op("Unsqueeze", x, axes) for x in _onnx_in_full(b, c, xs)), axis=c["axis"])  # type: ignore[no-any-return]


def _draw_stack(rng: np.random.Generator) -> Case:
    shape = draw_shape(rng, 1)
    found = {name: draw_floats(rng, shape) for name in "abc"[: rng.integers(1, 4)]}
    names = list(found)
    if rng.random() < 0.3:
        names.append(str(rng.integers(-3, 3, shape[1:]).tolist()))
    return Case(f"stack([{', '.join(names)}], axis={drawn_axis(rng, len(shape) + 1)})", found)


STACK = Function(
    "stack",
    parameters("x: tensors, axis: axis"),
    _stack_rule,
    lambda n, c, *xs: np.stack(_in_full(np, c, xs), c["axis"]),
    lambda k, c, *xs: k.ops.stack(_in_full(k.ops, c, xs), axis=c["axis"]),
    _onnx_stack,
    _draw_stack,
    "Tensors of one shape joined along a new axis.",
)


_ALL = (
    _softmax("softmax", "Softmax", "`exp(x)` divided by its sum along an axis."),
    _softmax("log_softmax", "LogSoftmax", "The logarithm of `softmax`."),
    NORMALIZE,
    CUMSUM,
    SORT,
    ARGSORT,
    TOP_K,
    FLIP,
    ROLL,
    REPEAT,
    CONCATENATE,
    STACK,
)
FUNCTIONS: Mapping[str, Function] = {**{function.name: function for function in _ALL}, **selecting.FUNCTIONS}
