"""Poolings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.pooling import GlobalAveragePooling, GlobalAveragePooling1D, GlobalPooling, MaxPooling, Pooling
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import arrange, declared
from nnspec.onnx_backend.lower.padding import Window, padded
from nnspec.onnx_backend.value import Value, as_declared, channels_first


def _pooled(b: Builder, call: Call[Pooling]) -> Value:
    layer = call.layer
    window = Window(layer.pool_size, layer.steps, layer.around)
    x = arrange(b, call.x, channels_first(call.x.type.rank))
    return Value((maxima if isinstance(layer, MaxPooling) else averages)(b, x, window), call.output, x.axes)


def maxima(b: Builder, x: Value, window: Window) -> str:
    """Write max pooling of a channels-first tensor."""
    padded_x, pads = padded(b, x, window, fill=-np.inf)
    return _pool(b, "MaxPool", padded_x, window, pads)


def averages(b: Builder, x: Value, window: Window) -> str:
    """Write average pooling of a channels-first tensor.

    ONNX's ``count_include_pad=0`` equals Keras's ``same``: padding does not count in the divisor.
    """
    padded_x, pads = padded(b, x, window)
    if not any(pads) and padded_x.name == x.name and _is_slow(b, x):
        return _mean(b, x, window)
    y = _pool(b, "AveragePool", padded_x, window, pads)
    if padded_x.name != x.name:
        # The padding is now part of the input, so the mean is corrected for it.
        ones = b.op(
            "ConstantOfShape",
            b.op("Concat", b.ints([1, 1], "one"), b.op("Shape", x.name, start=2), axis=0),
            value=np.ones(1, np.float32),
        )
        exists, _ = padded(b, replace(x, name=ones), window)
        y = b.op("Div", y, _pool(b, "AveragePool", exists, window, pads))
    return y


def _is_slow(b: Builder, x: Value) -> bool:
    """Whether ONNX Runtime's ``AveragePool`` is slow: since opset 19 by a factor of 3, unless 8 divides the channels."""
    channels = x.type.shape[-1]
    return b.opset >= 19 and isinstance(channels, int) and channels % 8 != 0


def _mean(b: Builder, x: Value, window: Window) -> str:
    """Write average pooling as a depthwise convolution with equal weights."""
    lead = [1] * (len(x.axes) - x.type.rank - 1)
    size, strides = [*lead, *window.spans], [*lead, *window.strides]
    channels = x.type.shape[-1]
    assert isinstance(channels, int)
    kernel = np.full((channels, 1, *size), 1 / np.prod(size), np.float32)
    return b.op("Conv", x.name, b.constant(kernel, "mean"), group=channels, kernel_shape=size, strides=strides)


def _pool(b: Builder, type: str, x: Value, window: Window, pads: list[int]) -> str:
    lead = [1] * (len(x.axes) - x.type.rank - 1)
    size, strides = [*lead, *window.spans], [*lead, *window.strides]
    return b.op(type, x.name, kernel_shape=size, strides=strides, pads=pads if any(pads) else None)


def _global(b: Builder, call: Call[GlobalPooling], *, type: str, reduction: str) -> Value:
    x, keepdims = call.x, call.layer.keepdims
    if x.axes == channels_first(x.type.rank):
        y = b.op(type, x.name)
        return Value(y, call.output, x.axes) if keepdims else Value.declared(b.op("Flatten", y), call.output)
    x = declared(b, x)
    return Value.declared(b.reduce(reduction, x.name, range(1, x.type.rank), keepdims=keepdims), call.output)


def _global_average(b: Builder, call: Call[GlobalPooling]) -> Value:
    """Write a global average. With a mask, Keras averages unmasked steps; if all are masked, the result is 0 / 0."""
    if call.x.mask is None or not isinstance(call.layer, GlobalAveragePooling1D):
        return _global(b, call, type="GlobalAveragePool", reduction="ReduceMean")
    x, keepdims = declared(b, call.x), int(call.layer.keepdims)
    mask = b.op("Unsqueeze", call.x.mask, b.ints([2], "last"))
    axes = b.ints([1], "axes")
    kept = b.op("Where", mask, x.name, b.constant(0, "zero", np.float32))
    total = b.op("ReduceSum", kept, axes, keepdims=keepdims)
    count = b.op("ReduceSum", b.op("Cast", mask, to=1), axes, keepdims=keepdims)
    return Value(b.op("Div", total, count), call.output, as_declared(call.output.rank))


_global_max = partial(_global, type="GlobalMaxPool", reduction="ReduceMax")

TABLE: Mapping[type[Layer], Lowering] = {GlobalAveragePooling: _global_average, GlobalPooling: _global_max, Pooling: _pooled}
