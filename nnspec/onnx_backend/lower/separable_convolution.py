"""Depthwise and separable convolutions."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.separable_convolution import DepthwiseConvolution, PerChannel, SeparableConvolution
from nnspec.onnx_backend.activation import activate
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Array, Call, Lowering
from nnspec.onnx_backend.layout import arrange
from nnspec.onnx_backend.lower.convolution import convolve
from nnspec.onnx_backend.lower.padding import Window, padded
from nnspec.onnx_backend.value import Value, channels_first


def _depthwise(b: Builder, call: Call[DepthwiseConvolution]) -> Value:
    y = _each_channel(b, call, call.weights["kernel"], call.weights.get("bias"))
    return activate(b, Value(y.name, call.output, y.axes), call.layer.activation)


def _separable(b: Builder, call: Call[SeparableConvolution]) -> Value:
    y = _each_channel(b, call, call.weights["depthwise_kernel"], None)
    y = convolve(b, y, call.weights["pointwise_kernel"], call.weights.get("bias"), {})
    return activate(b, Value(y.name, call.output, y.axes), call.layer.activation)


def _each_channel(b: Builder, call: Call[PerChannel], kernel: Array, bias: Array | None) -> Value:
    """Write a depthwise convolution."""
    layer = call.layer
    x = arrange(b, call.x, channels_first(call.x.type.rank))
    x, pads = padded(b, x, Window(layer.spans, layer.strides, layer.around))
    lead = [1] * (len(x.axes) - x.type.rank - 1)
    channels, outputs = kernel.shape[-2:]
    attributes = {
        "strides": [*lead, *layer.strides],
        "dilations": [*lead, *layer.dilation_rate],
        "pads": pads,
        "group": channels,
    }
    return convolve(b, x, kernel.reshape(*kernel.shape[:-2], 1, channels * outputs), bias, attributes)


TABLE: Mapping[type[Layer], Lowering] = {DepthwiseConvolution: _depthwise, SeparableConvolution: _separable}
