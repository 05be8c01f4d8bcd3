"""Transposed convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.transposed_convolution import TransposedConvolution
from nnspec.onnx_backend.activation import activate
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import arrange
from nnspec.onnx_backend.value import Value, channels_first


def _transposed(b: Builder, call: Call[TransposedConvolution]) -> Value:
    """Write a transposed convolution. Cropping is ONNX's ``pads``, extension its ``output_padding``."""
    layer = call.layer
    x = arrange(b, call.x, channels_first(call.x.type.rank))
    lead = [0] * (len(x.axes) - x.type.rank - 1)
    one = [1] * len(lead)
    before = [*lead, *(trim for trim, _ in layer.trims)]
    behind = [*lead, *(put for _, put in layer.trims)]
    kernel = np.moveaxis(call.weights["kernel"], (-1, -2), (0, 1))
    kernel = kernel.reshape(*kernel.shape[:2], *one, *kernel.shape[2:])
    bias = call.weights.get("bias")
    attributes: dict[str, Any] = {
        "strides": [*one, *layer.strides],
        "dilations": [*one, *layer.dilation_rate],
        "pads": [*before, *(max(-put, 0) for put in behind)],
        "output_padding": [max(put, 0) for put in behind],
    }
    idle = {"strides": 1, "dilations": 1, "pads": 0, "output_padding": 0}
    written = {key: value for key, value in attributes.items() if set(value) != {idle[key]}}
    inputs = [x.name, b.constant(kernel, "kernel")] + ([b.constant(bias, "bias")] if bias is not None else [])
    name = b.op("ConvTranspose", *inputs, kernel_shape=kernel.shape[2:], **written)
    return activate(b, Value(name, call.output, x.axes), layer.activation)


TABLE: Mapping[type[Layer], Lowering] = {TransposedConvolution: _transposed}
