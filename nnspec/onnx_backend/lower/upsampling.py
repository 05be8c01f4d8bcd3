"""Upsampling by integer factors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.upsampling import UpSampling, UpSampling2D
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import arrange
from nnspec.onnx_backend.lower.resampling import linear_resize, resampled
from nnspec.onnx_backend.value import Value, channels_first


def _upsample(b: Builder, call: Call[UpSampling]) -> Value:
    layer = call.layer
    if isinstance(layer, UpSampling2D) and layer.interpolation != "nearest":
        counts = [size for size in call.output.shape[:-1] if isinstance(size, int)]
        if len(counts) < len(layer.size):
            return replace(linear_resize(b, call.x, layer.size), type=call.output)
        return replace(resampled(b, call.x, counts, layer.interpolation), type=call.output)
    x = arrange(b, call.x, channels_first(call.x.type.rank))
    lead = [1] * (len(x.axes) - len(layer.size))
    scales = b.constant([*lead, *layer.size], "scales", np.float32)
    attributes = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return Value(b.op("Resize", x.name, "", scales, bodies=None, **attributes), call.output, x.axes)


TABLE: Mapping[type[Layer], Lowering] = {UpSampling: _upsample}
