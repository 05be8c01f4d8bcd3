"""Activation layers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.layers.activations import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from nnspec.layers.base import Layer
from nnspec.onnx_backend.activation import activate
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.value import Value


def _activation(b: Builder, call: Call[Activation]) -> Value:
    return activate(b, call.x, call.layer.activation)


def _relu(b: Builder, call: Call[ReLU]) -> Value:
    x, layer = call.x, call.layer
    if layer.negative_slope and layer.max_value is None and not layer.threshold:
        return x.with_name(b.op("LeakyRelu", x.name, alpha=layer.negative_slope))
    y = _above(b, x.name, layer)
    if layer.negative_slope:
        below = (
            b.op("Sub", b.constant(layer.threshold, "threshold", np.float32), x.name)
            if layer.threshold
            else b.op("Neg", x.name)
        )
        slope = b.constant(layer.negative_slope, "slope", np.float32)
        y = b.op("Sub", y, b.op("Mul", b.op("Relu", below), slope))
    return x.with_name(y)


def _above(b: Builder, x: str, layer: ReLU) -> str:
    """The part above the threshold, up to the maximum."""
    if layer.threshold:
        x = b.op("ThresholdedRelu", x, alpha=layer.threshold)
    if layer.max_value is not None:
        return b.op("Clip", x, b.constant(0, "min", np.float32), b.constant(layer.max_value, "max", np.float32))
    return x if layer.threshold else b.op("Relu", x)


def _leaky(b: Builder, call: Call[LeakyReLU]) -> Value:
    return call.x.with_name(b.op("LeakyRelu", call.x.name, alpha=call.layer.negative_slope))


def _elu(b: Builder, call: Call[ELU]) -> Value:
    return call.x.with_name(b.op("Elu", call.x.name, alpha=call.layer.alpha))


def _prelu(b: Builder, call: Call[PReLU]) -> Value:
    """Write PReLU; the slopes are transposed to the input's axis order."""
    x, alpha = call.x, call.weights["alpha"]
    if x.order is not None:
        return x.with_name(b.op("PRelu", x.name, b.constant(alpha[x.order], "alpha")))
    if x.axes[0] != 0:
        x = declared(b, x)
    order = [axis - 1 for axis in x.axes[1:] if axis is not None]
    laid = alpha.transpose(order)
    for place, axis in enumerate(x.axes[1:]):
        laid = np.expand_dims(laid, place) if axis is None else laid
    return x.with_name(b.op("PRelu", x.name, b.constant(laid, "alpha")))


def _softmax(b: Builder, call: Call[Softmax]) -> Value:
    axes = call.layer.axes(call.x.type)
    x = call.x if call.x.order is None else declared(b, call.x)
    places = [x.position(axis) for axis in axes]
    if len(places) == 1:
        return x.with_name(b.op("Softmax", x.name, axis=places[0]))
    total = b.reduce("ReduceLogSumExp", x.name, places, keepdims=True)
    return x.with_name(b.op("Exp", b.op("Sub", x.name, total)))


TABLE: Mapping[type[Layer], Lowering] = {
    Activation: _activation,
    ELU: _elu,
    LeakyReLU: _leaky,
    PReLU: _prelu,
    ReLU: _relu,
    Softmax: _softmax,
}
