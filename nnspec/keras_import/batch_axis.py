"""Tensors of custom code whose examples are not along the first axis: windows of images, tokens of all examples, transposed.

In a spec, the batch is the first axis. While code is traced with known sizes, such a tensor stands for another one:
``(before…, pre · batch · post, after…)`` for ``(batch, before…, pre, post, after…)``, where factors of 1 are no axes. An
operation on it is recorded on the other, with its axes moved.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nnspec.keras_import.shared import BROADCASTING

__all__ = ["MixedExamples", "is_moved", "layer_call", "moved_call"]


class MixedExamples(Exception):
    """Raised for an operation that combines examples."""


@dataclass(frozen=True)
class Layout:
    """Where the examples of a tensor are.

    Attributes:
        axis: The axis of the batch.
        pre: The factor of its size whose index varies slower than the example.
        post: The factor whose index varies faster.
    """

    axis: int = 0
    pre: int = 1
    post: int = 1

    @property
    def added(self) -> int:
        """The number of axes that the factors are."""
        return (self.pre > 1) + (self.post > 1)

    @property
    def factors(self) -> list[int]:
        return [factor for factor in (self.pre, self.post) if factor > 1]

    def real(self, axis: int) -> int:
        """Return an axis of the tensor with the batch first."""
        if axis == self.axis:
            raise MixedExamples
        return axis + 1 if axis < self.axis else axis + self.added

    def inserted(self, axis: int) -> tuple[int, Layout]:
        """Return where a new axis goes, and the layout with it."""
        if axis <= self.axis:
            return axis + 1, replace(self, axis=self.axis + 1)
        return axis + self.added, self

    def without(self, axes: Sequence[int]) -> Layout:
        """Return the layout without axes."""
        return replace(self, axis=self.axis - sum(axis < self.axis for axis in axes))


_FIRST = Layout()


def is_moved(tensor: Any) -> bool:
    """Whether a symbolic tensor stands for one with the batch first."""
    return getattr(tensor, "_nnspec_moved", None) is not None


def _of(tensor: Any) -> tuple[Any, Layout]:
    return getattr(tensor, "_nnspec_moved", None) or (tensor, _FIRST)


def _as_seen(real: Any, layout: Layout) -> Any:
    """Return what the code sees of a tensor with the batch first."""
    import keras

    if layout == _FIRST:
        return real
    size, *rest = real.shape
    after = rest[layout.axis + layout.added :]
    seen = keras.KerasTensor((*rest[: layout.axis], size * layout.pre * layout.post, *after), dtype=real.dtype)
    seen._nnspec_moved = real, layout
    return seen


def moved_call(
    operation: Any, args: Sequence[Any], kwargs: Mapping[str, Any], is_shared: Callable[[Any], bool], batch: int
) -> Any:
    """Return the result of an operation that has or moves the batch to another axis; None for all others.

    Raises:
        MixedExamples: If it combines examples.
    """
    import keras

    kind = type(operation).__name__
    tensors = [one for one in keras.tree.flatten([args, kwargs]) if isinstance(one, keras.KerasTensor)]
    own = [one for one in tensors if not is_shared(one)]
    if not own or isinstance(operation, keras.Layer):
        return None
    moved = any(map(is_moved, own))
    if kind in _MOVERS:
        return _MOVERS[kind](operation, args, kwargs, is_shared, batch)
    if not moved:
        return None
    if kind not in _OTHERS:
        raise MixedExamples
    return _OTHERS[kind](operation, args, kwargs, is_shared, batch)


def layer_call(layer: Any, args: Sequence[Any], kwargs: Mapping[str, Any], call: Callable[..., Any]) -> Any:
    """Call a layer that computes each position alike on a tensor whose batch is elsewhere.

    Raises:
        MixedExamples: If the layer does not compute each position alike.
    """
    real, layout = _of(args[0])
    rank = len(args[0].shape)
    axis = getattr(layer, "axis", -1)
    axes = [one % rank for one in (axis if isinstance(axis, list | tuple) else [axis])]
    kind = type(layer).__name__
    if kind in _OF_PRODUCTS:
        return layer.call(*args, **kwargs)
    if kind not in (*_ELEMENTWISE, *_OF_THE_LAST) or axes != [rank - 1]:
        raise MixedExamples
    if layout.axis == rank - 1 and kind not in _ELEMENTWISE:
        raise MixedExamples
    return _as_seen(call(layer, real, *args[1:], **kwargs), layout)


_ELEMENTWISE = ("Activation", "Dropout", "ELU", "Embedding", "LeakyReLU", "ReLU")
_OF_THE_LAST = ("Dense", "LayerNormalization", "RMSNormalization", "Softmax")
_OF_PRODUCTS = ("EinsumDense", "GroupQueryAttention", "MultiHeadAttention")
"""Layers whose own operations are recorded in their place."""


def _again(operation: Any, changed: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
    """Call an operation with other settings."""
    config = {name: value for name, value in operation.get_config().items() if name != "name"}
    return type(operation)(**{**config, **changed}).symbolic_call(*args, **kwargs)


def _axes(value: Any, rank: int) -> list[int]:
    return [one % rank for one in (value if isinstance(value, list | tuple) else [value])]


# --- operations that move the batch -----------------------------------------------------------------------------------------


def _reshaped(operation: Any, args: Any, kwargs: Any, is_shared: Any, batch: int) -> Any:
    x = args[0]
    given = list(operation.newshape if isinstance(operation.newshape, list | tuple) else [operation.newshape])
    wanted = given
    if not all(type(size) is int for size in (*wanted, *x.shape)):
        return None
    rest = math.prod(size for size in wanted if size != -1)
    wanted = [math.prod(x.shape) // rest if size == -1 else size for size in wanted] if rest else wanted
    real, layout = _of(x)
    if layout == _FIRST and wanted[0] == batch:
        return _again(operation, {"newshape": [batch, *given[1:]]}, x) if given[0] == -1 else None
    before = math.prod(x.shape[: layout.axis]) * layout.pre
    for axis, size in enumerate(wanted):
        passed = math.prod(wanted[:axis])
        if before % passed or size % batch or (size // batch) % (before // passed) or passed > before:
            continue
        found = Layout(axis, before // passed, size // batch // (before // passed))
        sizes = [batch, *wanted[:axis], *found.factors, *wanted[axis + 1 :]]
        from keras import ops

        return _as_seen(ops.reshape(real, sizes), found)
    raise MixedExamples


def _transposed(operation: Any, args: Any, kwargs: Any, is_shared: Any, batch: int) -> Any:
    from keras import ops

    x = args[0]
    rank = len(x.shape)
    if type(operation).__name__ == "Transpose":
        axes = list(range(rank))[::-1] if operation.axes is None else _axes(list(operation.axes), rank)
    elif type(operation).__name__ == "Swapaxes":
        axes, (a, b) = list(range(rank)), (operation.axis1 % rank, operation.axis2 % rank)
        axes[a], axes[b] = b, a
    else:
        source, target = _axes(operation.source, rank), _axes(operation.destination, rank)
        axes = [axis for axis in range(rank) if axis not in source]
        for place, axis in sorted(zip(target, source, strict=True)):
            axes.insert(place, axis)
    real, layout = _of(x)
    if layout == _FIRST and axes[0] == 0:
        return None
    place = axes.index(layout.axis)
    factors = [1 + layout.axis + number for number in range(layout.added)]
    order = [0, *map(layout.real, axes[:place]), *factors, *map(layout.real, axes[place + 1 :])]
    return _as_seen(ops.transpose(real, order) if order != sorted(order) else real, replace(layout, axis=place))


def _expanded(operation: Any, args: Any, kwargs: Any, is_shared: Any, batch: int) -> Any:
    from keras import ops

    axes = operation.axis if isinstance(operation.axis, list | tuple) else [operation.axis]
    rank = len(args[0].shape) + len(axes)
    real, layout = _of(args[0])
    axes = sorted(axis % rank for axis in axes)
    if layout == _FIRST and 0 not in axes:
        return None
    for axis in axes:
        at, layout = layout.inserted(axis)
        real = ops.expand_dims(real, at)
    return _as_seen(real, layout)


def _contracted(operation: Any, args: Any, kwargs: Any, is_shared: Any, batch: int) -> Any:
    from keras import ops

    before, arrow, after = operation.subscripts.replace(" ", "").partition("->")
    letters = before.split(",")
    if not arrow or "." in before or len(letters) != len(args):
        if any(map(is_moved, args)):
            raise MixedExamples
        return None
    found = {(one[layout.axis], layout.pre, layout.post) for one, layout in _own(letters, args, is_shared)}
    if len(found) != 1:
        raise MixedExamples
    [(letter, pre, post)] = found
    if not any(map(is_moved, args)) and after.startswith(letter):
        return None
    shared_too = [one for one, value in zip(letters, args, strict=True) if is_shared(value) and letter in one]
    if letter not in after or shared_too:
        raise MixedExamples
    free = [one for one in "nopqrstuvwxyzabcdefg" if one not in operation.subscripts]
    factors = "".join(free[: (pre > 1) + (post > 1)])

    def first(one: str) -> str:
        return letter + one.replace(letter, factors)

    texts = [one if is_shared(value) else first(one) for one, value in zip(letters, args, strict=True)]
    result = ops.einsum(f"{','.join(texts)}->{first(after)}", *(_of(value)[0] for value in args))
    return _as_seen(result, Layout(after.index(letter), pre, post))


def _own(letters: Sequence[str], args: Sequence[Any], is_shared: Any) -> list[tuple[str, Layout]]:
    return [(one, _of(value)[1]) for one, value in zip(letters, args, strict=True) if not is_shared(value)]


_MOVERS: Mapping[str, Callable[..., Any]] = {
    "Einsum": _contracted,
    "ExpandDims": _expanded,
    "Moveaxis": _transposed,
    "Reshape": _reshaped,
    "Swapaxes": _transposed,
    "Transpose": _transposed,
}


# --- operations on tensors whose batch is elsewhere -------------------------------------------------------------------------


def _broadcast(operation: Any, args: Any, kwargs: Any, is_shared: Any, batch: int) -> Any:
    """Elementwise operations, whose operands are broadcast."""
    import keras
    from keras import ops

    if any(getattr(operation, name, None) is not None for name in ("axis", "axes")):
        raise MixedExamples
    tensors = [one for one in keras.tree.flatten([args, kwargs]) if isinstance(one, keras.KerasTensor)]
    rank = max(len(one.shape) for one in tensors)
    layouts = set()
    for one in tensors:
        if not is_shared(one):
            layout = _of(one)[1]
            layouts.add(replace(layout, axis=layout.axis + rank - len(one.shape)))
    if len(layouts) != 1:
        raise MixedExamples
    [layout] = layouts

    def real(value: Any) -> Any:
        if not isinstance(value, keras.KerasTensor):
            return _constant(value, rank, layout)
        missing = rank - len(value.shape)
        if not is_shared(value):
            found, own = _of(value)
            for _ in range(missing):
                at, own = own.inserted(0)
                found = ops.expand_dims(found, at)
            return found
        place = layout.axis - missing
        if place < 0:
            return value
        if value.shape[place] != 1:
            raise MixedExamples
        shape = [*value.shape[:place], *(1 for _ in layout.factors), *value.shape[place + 1 :]]
        return ops.reshape(value, shape) if list(value.shape) != shape else value

    args, kwargs = keras.tree.map_structure(real, (list(args), dict(kwargs)))
    return _as_seen(operation.symbolic_call(*args, **kwargs), layout)


def _constant(value: Any, rank: int, layout: Layout) -> Any:
    """Return an array that is combined with the tensor as one that is combined with the one with the batch first."""
    shape = getattr(value, "shape", None)
    if shape is None or not len(shape) or len(shape) < rank - layout.axis:
        return value
    import numpy as np

    array = np.asarray(value)
    place = layout.axis - (rank - array.ndim)
    if array.shape[place] != 1:
        raise MixedExamples
    return array.reshape([*array.shape[:place], *(1 for _ in layout.factors), *array.shape[place + 1 :]])


def _reduced(operation: Any, args: Any, kwargs: Any, is_shared: Any, batch: int) -> Any:
    """Reductions, which remove axes unless they keep them."""
    x = args[0]
    real, layout = _of(x)
    if operation.axis is None:
        raise MixedExamples
    axes = _axes(operation.axis, len(x.shape))
    changed = [layout.real(axis) for axis in axes]
    keeps = getattr(operation, "keepdims", False)
    result = _again(operation, {"axis": changed if isinstance(operation.axis, list | tuple) else changed[0]}, real)
    return _as_seen(result, layout if keeps else layout.without(axes))


def _along(operation: Any, args: Any, kwargs: Any, is_shared: Any, batch: int) -> Any:
    """Operations along an axis, which keep the number of axes, of one tensor or of several alike."""
    import keras

    tensors = [one for one in keras.tree.flatten([args, kwargs]) if isinstance(one, keras.KerasTensor)]
    if len({_of(one)[1] for one in tensors}) != 1 or any(map(is_shared, tensors)):
        raise MixedExamples
    layout, rank = _of(tensors[0])[1], len(tensors[0].shape)
    axis = operation.axis if operation.axis is not None else -1
    axes = [layout.real(one) for one in _axes(axis, rank)]
    args, kwargs = keras.tree.map_structure(lambda one: _of(one)[0], (list(args), dict(kwargs)))
    result = _again(operation, {"axis": axes if isinstance(axis, list | tuple) else axes[0]}, *args, **kwargs)
    return keras.tree.map_structure(lambda one: _as_seen(one, layout), result)


def _last(operation: Any, args: Any, kwargs: Any, is_shared: Any, batch: int) -> Any:
    """Operations along the last axis, or that add one."""
    import keras

    real, layout = _of(args[0])
    adds = type(operation).__name__ == "OneHot"
    if getattr(operation, "axis", -1) not in (-1, None) or (layout.axis == len(args[0].shape) - 1 and not adds):
        raise MixedExamples
    result = operation.symbolic_call(real, *args[1:], **kwargs)
    return keras.tree.map_structure(lambda one: _as_seen(one, layout), result)


def _stacked(operation: Any, args: Any, kwargs: Any, is_shared: Any, batch: int) -> Any:
    found = [_of(one) for one in args[0]]
    layouts = {layout for _, layout in found}
    if len(layouts) != 1 or any(map(is_shared, args[0])):
        raise MixedExamples
    [layout] = layouts
    at, after = layout.inserted(operation.axis % (len(args[0][0].shape) + 1))
    return _as_seen(_again(operation, {"axis": at}, [real for real, _ in found]), after)


def _unstacked(operation: Any, args: Any, kwargs: Any, is_shared: Any, batch: int) -> Any:
    real, layout = _of(args[0])
    axis = operation.axis % len(args[0].shape)
    return [_as_seen(one, layout.without([axis])) for one in _again(operation, {"axis": layout.real(axis)}, real)]


def _squeezed(operation: Any, args: Any, kwargs: Any, is_shared: Any, batch: int) -> Any:
    x = args[0]
    real, layout = _of(x)
    axis = operation.axis
    axes = [place for place, size in enumerate(x.shape) if size == 1] if axis is None else _axes(axis, len(x.shape))
    result = _again(operation, {"axis": [layout.real(one) for one in axes]}, real)
    return _as_seen(result, layout.without(axes))


def _indexed(operation: Any, args: Any, kwargs: Any, is_shared: Any, batch: int) -> Any:
    x, key = args[:2]
    real, layout = _of(x)
    keys = list(key) if isinstance(key, tuple) else [key]
    if Ellipsis in keys:
        at = keys.index(Ellipsis)
        missing = len(x.shape) - sum(one is not None for one in keys) + 1
        keys[at : at + 1] = [slice(None)] * missing
    keys += [slice(None)] * (len(x.shape) - sum(one is not None for one in keys))
    before: list[Any] = []
    after: list[Any] = []
    axis, place, seen = 0, 0, False
    for one in keys:
        if one is None:
            (after if seen else before).append(one)
            place += not seen
            continue
        if axis == layout.axis:
            if one != slice(None):
                raise MixedExamples
            seen = True
        else:
            (after if seen else before).append(one)
            place += not seen and isinstance(one, slice)
        axis += 1
    whole = [slice(None)] * layout.added
    return _as_seen(real[(slice(None), *before, *whole, *after)], replace(layout, axis=place))


def _sliced(operation: Any, args: Any, kwargs: Any, is_shared: Any, batch: int) -> Any:
    starts, sizes = list(args[1]), list(operation.shape)
    key = tuple(slice(start, start + size) for start, size in zip(starts, sizes, strict=True))
    whole = tuple(slice(None) if one == slice(0, size) else one for one, size in zip(key, args[0].shape, strict=True))
    return args[0][whole]


def _padded(operation: Any, args: Any, kwargs: Any, is_shared: Any, batch: int) -> Any:
    real, layout = _of(args[0])
    pairs = [list(pair) for pair in operation.pad_width]
    if any(pairs[layout.axis]):
        raise MixedExamples
    widths = [[0, 0], *pairs[: layout.axis], *([0, 0] for _ in layout.factors), *pairs[layout.axis + 1 :]]
    return _as_seen(_again(operation, {"pad_width": widths}, real, *args[1:], **kwargs), layout)


def _product(operation: Any, args: Any, kwargs: Any, is_shared: Any, batch: int) -> Any:
    from keras import ops

    a, b = args[:2]
    ranks = len(a.shape), len(b.shape)
    letters = "abcdefghij"
    if is_shared(b) and ranks[1] == 2:
        left = letters[: ranks[0]]
        return ops.einsum(f"{left},{left[-1]}z->{left[:-1]}z", a, b)
    if ranks[0] != ranks[1] or ranks[0] > len(letters):
        raise MixedExamples
    stack = letters[: ranks[0] - 2]
    return ops.einsum(f"{stack}xy,{stack}yz->{stack}xz", a, b)


_ALIKE = (
    *BROADCASTING, "Absolute", "Cast", "Ceil", "Clip", "Copy", "Cos", "Elu", "Erf", "Exp", "Expm1", "Floor", "Gelu",
    "HardSigmoid", "HardSilu", "Identity", "Isfinite", "Isinf", "Isnan", "LeakyRelu", "Log", "Log1p", "LogSigmoid",
    "LogicalNot", "Negative", "OnesLike", "Reciprocal", "Relu", "Relu6", "Round", "Rsqrt", "Selu", "Sigmoid", "Sign",
    "Silu", "Sin", "Softplus", "Softsign", "Sqrt", "Square", "StopGradient", "Swish", "Tan", "Tanh", "ZerosLike",
)  # fmt: skip


def _attended(operation: Any, args: Any, kwargs: Any, is_shared: Any, batch: int) -> Any:
    """Attention of queries, keys and values of ``(batch, time, heads, features)``."""
    from keras import ops

    given = {**dict(zip(("query", "key", "value"), args, strict=False)), **{k: v for k, v in kwargs.items() if v is not None}}
    scale = given.pop("scale", None)
    given.pop("flash_attention", None)
    if given.keys() != {"query", "key", "value"} or getattr(operation, "is_causal", False):
        raise MixedExamples
    q, k, v = given["query"], given["key"], given["value"]
    scores = ops.einsum("btnh,bsnh->bnts", q, k) * (q.shape[-1] ** -0.5 if scale is None else scale)
    return ops.einsum("bnts,bsnh->btnh", ops.softmax(scores), v)


_REDUCTIONS = (
    "All", "Amax", "Amin", "Any", "Argmax", "Argmin", "Logsumexp", "Max", "Mean", "Min", "Norm", "Prod", "Std", "Sum", "Var",
)  # fmt: skip

_ALONG = ("Concatenate", "Cumsum", "Flip", "LogSoftmax", "Repeat", "Roll", "Softmax", "Sort", "Split")

_OTHERS: Mapping[str, Callable[..., Any]] = {
    **dict.fromkeys(_ALIKE, _broadcast),
    **dict.fromkeys(_REDUCTIONS, _reduced),
    **dict.fromkeys(_ALONG, _along),
    "DotProductAttention": _attended,
    "GetItem": _indexed,
    "LayerNorm": _last,
    "Matmul": _product,
    "OneHot": _last,
    "Pad": _padded,
    "RMSNorm": _last,
    "Slice": _sliced,
    "Squeeze": _squeezed,
    "Stack": _stacked,
    "TopK": _last,
    "Unstack": _unstacked,
}  # fmt: skip
