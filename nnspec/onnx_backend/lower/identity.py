"""Identity: no node."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.identity import Identity
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.value import Value

__all__ = ["TABLE"]


def _identity(b: Builder, call: Call[Identity]) -> Value:
    del b
    return call.x


TABLE: Mapping[type[Layer], Lowering] = {Identity: _identity}
