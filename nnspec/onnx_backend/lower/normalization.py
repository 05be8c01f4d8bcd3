"""Normalizations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.normalization import BatchNormalization
from nnspec.onnx_backend.absorb import absorb
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Array, Call, Lowering
from nnspec.onnx_backend.value import Value, channels_first

__all__ = ["TABLE"]


def _batch_normalization(b: Builder, call: Call[BatchNormalization]) -> Value:
    """In inference it is a factor and an offset for each channel; the layer before takes them in if it can."""
    x, layer, weights = call.x, call.layer, call.weights
    axis = layer.channel_axis(x.type.rank) + 1
    scale, offset = affine(weights, layer.epsilon)
    if x.linear is not None and axis == x.type.rank:
        return absorb(b, x, scale, offset)
    if x.order is not None:
        scale, offset = scale[x.order], offset[x.order]
    if x.type.rank > 1 and x.axes == channels_first(x.type.rank) and axis == x.type.rank:
        ones, zeros = np.ones_like(scale), np.zeros_like(scale)
        arrays = {"scale": scale, "offset": offset, "mean": zeros, "variance": ones}
        names = [b.constant(array, name, np.float32) for name, array in arrays.items()]
        return x.moved(b.op("BatchNormalization", x.name, *names, epsilon=0.0))
    shape = [-1 if place == x.position(axis) else 1 for place in range(len(x.axes))]
    while shape[0] == 1 and len(shape) > 1:
        shape = shape[1:]
    product = b.op("Mul", x.name, b.constant(scale.reshape(shape), "scale", np.float32))
    return x.moved(b.op("Add", product, b.constant(offset.reshape(shape), "offset", np.float32)))


def affine(weights: Mapping[str, Array], epsilon: float) -> tuple[np.ndarray, np.ndarray]:
    """The factor and the offset that the moving averages come to, in float64."""
    mean, variance = (weights[name].astype(np.float64) for name in ("moving_mean", "moving_variance"))
    scale = weights.get("gamma", np.ones_like(mean)) / np.sqrt(variance + epsilon)
    return scale, weights.get("beta", np.zeros_like(mean)) - mean * scale


TABLE: Mapping[type[Layer], Lowering] = {BatchNormalization: _batch_normalization}
