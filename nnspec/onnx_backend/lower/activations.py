"""Activation functions as layers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.layers.activations import Activation, ReLU
from nnspec.layers.base import Layer
from nnspec.onnx_backend.activation import activate
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.value import Value

__all__ = ["TABLE"]


def _activation(b: Builder, call: Call[Activation]) -> Value:
    return activate(b, call.x, call.layer.activation)


def _relu(b: Builder, call: Call[ReLU]) -> Value:
    x, layer = call.x, call.layer
    if layer.negative_slope and layer.max_value is None and not layer.threshold:
        return x.moved(b.op("LeakyRelu", x.name, alpha=layer.negative_slope))
    y = _above(b, x.name, layer)
    if layer.negative_slope:
        below = (
            b.op("Sub", b.constant(layer.threshold, "threshold", np.float32), x.name)
            if layer.threshold
            else b.op("Neg", x.name)
        )
        slope = b.constant(layer.negative_slope, "slope", np.float32)
        y = b.op("Sub", y, b.op("Mul", b.op("Relu", below), slope))
    return x.moved(y)


def _above(b: Builder, x: str, layer: ReLU) -> str:
    """What is above the threshold, up to the maximum."""
    if layer.threshold:
        x = b.op("ThresholdedRelu", x, alpha=layer.threshold)
    if layer.max_value is not None:
        return b.op("Clip", x, b.constant(0, "min", np.float32), b.constant(layer.max_value, "max", np.float32))
    return x if layer.threshold else b.op("Relu", x)


TABLE: Mapping[type[Layer], Lowering] = {Activation: _activation, ReLU: _relu}
