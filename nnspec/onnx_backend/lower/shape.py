"""Layers that change shapes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.shape import Flatten, Permute, RepeatVector, Reshape
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.value import Value


def _flatten(b: Builder, call: Call[Flatten]) -> Value:
    """Write Flatten. A channels-first image is flattened without a transpose; the feature order is recorded."""
    x = call.x
    sizes = [size for size in x.type.shape if isinstance(size, int)]
    if x.order is not None or x.type.rank == 1:
        return x
    if x.is_declared or x.axes[0] != 0 or len(sizes) < x.type.rank:
        return Value.declared(b.op("Flatten", declared(b, x).name), call.output)
    places = np.arange(np.prod(sizes)).reshape(sizes).transpose([axis - 1 for axis in x.axes if axis]).ravel()
    order = None if np.array_equal(places, np.arange(places.size)) else places
    return Value(b.op("Flatten", x.name), call.output, (0, 1), order=order)


def _reshape(b: Builder, call: Call[Reshape]) -> Value:
    sizes = [size if isinstance(size, int) else -1 for size in call.output.shape]
    return Value.declared(b.op("Reshape", declared(b, call.x).name, b.ints([0, *sizes], "shape")), call.output)


def _permute(b: Builder, call: Call[Permute]) -> Value:
    """Write Permute: no node, only relabeled axes."""
    del b
    places = {axis: place for place, axis in enumerate(call.layer.dims, 1)}
    axes = tuple(axis and places[axis] for axis in call.x.axes)
    return Value(call.x.name, call.output, axes, order=call.x.order)


def _repeat(b: Builder, call: Call[RepeatVector]) -> Value:
    step = b.op("Unsqueeze", declared(b, call.x).name, b.ints([1], "time"))
    return Value.declared(b.op("Expand", step, b.ints([1, call.layer.n, 1], "shape")), call.output)


TABLE: Mapping[type[Layer], Lowering] = {
    Flatten: _flatten,
    Permute: _permute,
    RepeatVector: _repeat,
    Reshape: _reshape,
}
