"""Max pooling with indices and its inverse."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.keras_backend import layers
from nnspec.keras_backend.call import Build, Call, Lowering, plain
from nnspec.layers.base import Layer
from nnspec.layers.unpooling import MaxPoolingWithIndices2D, MaxUnpooling2D


def _pooled(build: Build[MaxPoolingWithIndices2D]) -> Call:
    layer = build.layer
    return plain(layers.MaxPoolingWithIndices2D(layer.pool_size, layer.steps, layer.padding, name=build.name), layer)


def _unpooled(build: Build[MaxUnpooling2D]) -> Call:
    return plain(layers.MaxUnpooling2D(build.layer.factors, name=build.name), build.layer)


TABLE: Mapping[type[Layer], Lowering] = {MaxPoolingWithIndices2D: _pooled, MaxUnpooling2D: _unpooled}
