"""Layers that act only in training: no nodes in inference."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.regularization import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.value import Value

__all__ = ["TABLE", "nothing"]


def nothing(b: Builder, call: Call[Layer]) -> Value:
    """Return the input of a layer that acts only in training."""
    del b
    return call.x


TABLE: Mapping[type[Layer], Lowering] = {
    ActivityRegularization: nothing,
    AlphaDropout: nothing,
    Dropout: nothing,
    GaussianDropout: nothing,
    GaussianNoise: nothing,
    SpatialDropout1D: nothing,
    SpatialDropout2D: nothing,
    SpatialDropout3D: nothing,
}
