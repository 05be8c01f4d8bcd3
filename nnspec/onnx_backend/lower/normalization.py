"""Normalizations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.normalization import (
    BatchNormalization,
    GroupNormalization,
    LayerNormalization,
    RMSNormalization,
    UnitNormalization,
)
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Array, Call, Lowering
from nnspec.onnx_backend.layout import along, arrange, declared
from nnspec.onnx_backend.value import Value, channels_first


def _batch_normalization(b: Builder, call: Call[BatchNormalization]) -> Value:
    """Write a scale and an offset per channel, which a pass folds into the preceding layer if possible."""
    x, layer, weights = call.x, call.layer, call.weights
    axis = layer.channel_axis(x.type.rank) + 1
    scale, offset = affine(weights, layer.epsilon)
    if x.type.rank > 1 and x.axes == channels_first(x.type.rank) and axis == x.type.rank:
        ones, zeros = np.ones_like(scale), np.zeros_like(scale)
        names = [b.rounded(scale, "scale"), b.rounded(offset, "offset")]
        names += [b.constant(zeros, "mean", np.float32), b.constant(ones, "variance", np.float32)]
        return x.with_name(b.op("BatchNormalization", x.name, *names, epsilon=0.0))
    product = b.op("Mul", x.name, b.rounded(along(x, axis, scale), "scale"))
    return x.with_name(b.op("Add", product, b.rounded(along(x, axis, offset), "offset")))


def affine(weights: Mapping[str, Array], epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """The scale and offset of moving statistics, in float64."""
    mean, variance = (weights[name].astype(np.float64) for name in ("moving_mean", "moving_variance"))
    scale = weights.get("gamma", np.ones_like(mean)) / np.sqrt(variance + epsilon)
    return scale, weights.get("beta", np.zeros_like(mean)) - mean * scale


def _layer_normalization(b: Builder, call: Call[LayerNormalization]) -> Value:
    """Write layer normalization: one operator if the axes are the last ones."""
    layer, rank = call.layer, call.x.type.rank
    axes = [axis + 1 for axis in layer.axes(rank)]
    x = call.x if axes == [rank] and call.x.order is None and call.x.axes[-1] == rank else declared(b, call.x)
    gamma, beta = call.weights.get("gamma"), call.weights.get("beta")
    if axes == list(range(axes[0], rank + 1)):
        sizes = [call.x.type.shape[axis - 1] for axis in axes]
        if gamma is not None or all(isinstance(size, int) for size in sizes):
            scale = gamma if gamma is not None else np.ones([int(str(size)) for size in sizes], np.float32)
            inputs = [x.name, b.constant(scale, "gamma")] + ([b.constant(beta, "beta")] if beta is not None else [])
            return x.with_name(b.op("LayerNormalization", *inputs, axis=-len(axes), epsilon=layer.epsilon))
    centered = b.op("Sub", x.name, b.reduce("ReduceMean", x.name, axes, keepdims=True))
    variance = b.reduce("ReduceMean", b.op("Mul", centered, centered), axes, keepdims=True)
    y = b.op("Mul", centered, _inverse_root(b, variance, layer.epsilon))
    return x.with_name(_along(b, y, axes, rank, gamma, beta))


def _inverse_root(b: Builder, square: str, epsilon: float) -> str:
    return b.op("Reciprocal", b.op("Sqrt", b.op("Add", square, b.constant(epsilon, "epsilon", np.float32))))


def _along(b: Builder, y: str, axes: list[int], rank: int, gamma: Array | None, beta: Array | None) -> str:
    """Apply a scale and an offset along some axes."""
    for type, array, name in (("Mul", gamma, "gamma"), ("Add", beta, "beta")):
        if array is not None:
            sizes = iter(array.shape)
            shape = [next(sizes) if axis in axes else 1 for axis in range(min(axes), rank + 1)]
            y = b.op(type, y, b.constant(array.reshape(shape), name))
    return y


def _rms_normalization(b: Builder, call: Call[RMSNormalization]) -> Value:
    x, rank = declared(b, call.x), call.x.type.rank
    axes = [axis + 1 for axis in call.layer.axes(rank)]
    square = b.reduce("ReduceMean", b.op("Mul", x.name, x.name), axes, keepdims=True)
    y = b.op("Mul", x.name, _inverse_root(b, square, call.layer.epsilon))
    return x.with_name(_along(b, y, axes, rank, call.weights["scale"], None))


def _unit_normalization(b: Builder, call: Call[UnitNormalization]) -> Value:
    x = call.x if call.x.order is None else declared(b, call.x)
    places = [x.position(axis + 1) for axis in call.layer.axes(x.type.rank)]
    length = b.op("Sqrt", b.reduce("ReduceSumSquare", x.name, places, keepdims=True))
    inverse = b.op("Min", b.op("Reciprocal", length), b.constant(1e12, "most", np.float32))
    return x.with_name(b.op("Mul", x.name, inverse))


def _group_normalization(b: Builder, call: Call[GroupNormalization]) -> Value:
    """Write group normalization as an instance normalization over groups, channels first."""
    layer, rank = call.layer, call.x.type.rank
    axis = layer.channel_axis(rank) + 1
    others = [other for other in range(1, rank + 1) if other != axis]
    lain = channels_first(rank) if axis == rank and rank > 1 else (0, axis, *others)
    x = arrange(b, call.x, lain)
    groups = layer.group_count(x.type)
    grouped = b.op("Reshape", x.name, b.ints([0, groups, -1], "groups"))
    ones, zeros = (b.constant(np.full(groups, value, np.float32), name) for value, name in ((1, "ones"), (0, "zeros")))
    y = b.op("InstanceNormalization", grouped, ones, zeros, epsilon=layer.epsilon)
    y = b.op("Reshape", y, b.op("Shape", x.name))
    for type, name in (("Mul", "gamma"), ("Add", "beta")):
        if name in call.weights:
            y = b.op(type, y, b.constant(call.weights[name].reshape(-1, *[1] * (len(x.axes) - 2)), name))
    return x.with_name(y)


TABLE: Mapping[type[Layer], Lowering] = {
    BatchNormalization: _batch_normalization,
    GroupNormalization: _group_normalization,
    LayerNormalization: _layer_normalization,
    RMSNormalization: _rms_normalization,
    UnitNormalization: _unit_normalization,
}
