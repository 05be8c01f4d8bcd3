"""Convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.convolution import Conv1D, Conv2D, Conv3D, Convolution
from nnspec.onnx_backend.activation import activate
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Array, Call, Lowering
from nnspec.onnx_backend.layout import arrange
from nnspec.onnx_backend.lower.padding import Window, padded
from nnspec.onnx_backend.value import Value, channels_first


def _convolution(b: Builder, call: Call[Conv1D | Conv2D | Conv3D]) -> Value:
    layer = call.layer
    x = arrange(b, call.x, channels_first(call.x.type.rank))
    x, pads = padded(b, x, Window(layer.spans, layer.strides, layer.around))
    lead = [1] * (len(x.axes) - x.type.rank - 1)
    attributes = {
        "strides": [*lead, *layer.strides],
        "dilations": [*lead, *layer.dilation_rate],
        "pads": pads,
        "group": layer.groups,
    }
    y = convolve(b, x, call.weights["kernel"], call.weights.get("bias"), attributes)
    return activate(b, Value(y.name, call.output, y.axes), layer.activation)


def convolve(b: Builder, x: Value, kernel: Array, bias: Array | None, attributes: Mapping[str, Any]) -> Value:
    """Write a convolution of a channels-first input.

    Args:
        b: The graph.
        x: The input.
        kernel: Keras's kernel: spatial sizes, input channels per group, output channels.
        bias: The bias of each output channel.
        attributes: ONNX's attributes, per spatial axis of the ONNX input.
    """
    kernel = np.moveaxis(kernel, (-1, -2), (0, 1))
    kernel = np.ascontiguousarray(kernel.reshape(*kernel.shape[:2], *[1] * (len(x.axes) - kernel.ndim), *kernel.shape[2:]))
    inputs = [x.name, b.constant(kernel, "kernel")] + ([b.constant(bias, "bias")] if bias is not None else [])
    # Attributes without an effect are omitted, for readability.
    idle = {"strides": 1, "dilations": 1, "pads": 0}
    written = {key: value for key, value in attributes.items() if key not in idle or set(value) != {idle[key]}}
    return Value(b.op("Conv", *inputs, kernel_shape=kernel.shape[2:], **written), x.type, x.axes)


TABLE: Mapping[type[Layer], Lowering] = {Convolution: _convolution}
