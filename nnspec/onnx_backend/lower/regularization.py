"""Layers that act in training alone: nothing is written for them."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.regularization import (
    ActivityRegularization,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    InTrainingAlone,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.value import Value

__all__ = ["TABLE"]


def _nothing(b: Builder, call: Call[InTrainingAlone]) -> Value:
    del b
    return call.x


TABLE: Mapping[type[Layer], Lowering] = {
    ActivityRegularization: _nothing,
    AlphaDropout: _nothing,
    Dropout: _nothing,
    GaussianDropout: _nothing,
    GaussianNoise: _nothing,
    SpatialDropout1D: _nothing,
    SpatialDropout2D: _nothing,
    SpatialDropout3D: _nothing,
}
