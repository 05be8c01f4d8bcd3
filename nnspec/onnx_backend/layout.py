"""Changes the axis order of a tensor at the least cost: no node, a reshape, or one transpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.value import Axes, Value, as_declared


def declared(b: Builder, value: Value) -> Value:
    """The tensor in the spec's axis order."""
    return arrange(b, value, as_declared(value.type.rank))


def arrange(b: Builder, value: Value, axes: Axes) -> Value:
    """The tensor in the requested axis order; cached per tensor and order."""
    if value.order is not None:
        value = b.once(("order", value.name), lambda: _ordered(b, value))
    if value.axes == axes:
        return value
    made = b.once(("arrange", value.name, value.axes, axes), lambda: _moved(b, value, axes))
    return replace(value, name=made, axes=axes)


def common_axes(values: Sequence[Value]) -> Axes:
    """A common axis order of tensors of one rank: that of the first one that is not in the spec's order."""
    return next(
        (value.axes for value in values if not value.is_declared and value.order is None), as_declared(values[0].type.rank)
    )


def along(value: Value, axis: int, array: NDArray[np.float64]) -> NDArray[np.float64]:
    """An array of one element for each position of an axis of the spec, in a shape that broadcasts to the tensor."""
    array = array if value.order is None else array[value.order]
    shape = [-1 if place == value.position(axis) else 1 for place in range(len(value.axes))]
    while shape[0] == 1 and len(shape) > 1:
        shape = shape[1:]
    return array.reshape(shape)


def _ordered(b: Builder, value: Value) -> Value:
    assert value.order is not None
    index = b.ints([int(place) for place in np.argsort(value.order)], "order")
    return replace(value, name=b.op("Gather", value.name, index, axis=1), order=None)


def _moved(b: Builder, value: Value, axes: Axes) -> str:
    if _wide(value, value.axes) == _wide(value, axes):
        return _reshaped(b, value, axes)
    name = value.name
    if extra := [place for place, axis in enumerate(value.axes) if axis is None]:
        name = b.op("Squeeze", name, b.ints(extra, "axes"))
    source = [axis for axis in value.axes if axis is not None]
    target = [axis for axis in axes if axis is not None]
    if source != target:
        name = b.op("Transpose", name, perm=[source.index(axis) for axis in target])
    if extra := [place for place, axis in enumerate(axes) if axis is None]:
        name = b.op("Unsqueeze", name, b.ints(extra, "axes"))
    return name


def _wide(value: Value, axes: Axes) -> list[int | None]:
    """The axes of more than one element, in order: if it does not change, a reshape suffices."""
    return [axis for axis in axes if value.size(axis) != 1]


def _reshaped(b: Builder, value: Value, axes: Axes) -> str:
    sizes: list[int] = []
    for place, axis in enumerate(axes):
        size = value.size(axis)
        kept = place < len(value.axes) and value.axes[place] == axis
        sizes.append(size if isinstance(size, int) else 0 if kept else -1)
    if sizes.count(-1) <= 1:
        return b.op("Reshape", value.name, b.ints(sizes, "shape"))
    # Two sizes that are known only at run time are swapped; axes of size 1 are squeezed and unsqueezed instead.
    narrow = [place for place, axis in enumerate(value.axes) if value.size(axis) == 1]
    name = b.op("Squeeze", value.name, b.ints(narrow, "axes"))
    return b.op("Unsqueeze", name, b.ints([place for place, axis in enumerate(axes) if value.size(axis) == 1], "axes"))
