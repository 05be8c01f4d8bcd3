"""Layers that act in training alone: nothing is written for them."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.regularization import Dropout
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.value import Value

__all__ = ["TABLE"]


def _nothing(b: Builder, call: Call[Dropout]) -> Value:
    del b
    return call.x


TABLE: Mapping[type[Layer], Lowering] = {Dropout: _nothing}
