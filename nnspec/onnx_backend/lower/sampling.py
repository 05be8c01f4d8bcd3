"""Random draws: the mean is what is exported."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.sampling import Sampling
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.value import Value

__all__ = ["TABLE"]


def _mean(b: Builder, call: Call[Sampling]) -> Value:
    del b
    return call.inputs["mean"]


TABLE: Mapping[type[Layer], Lowering] = {Sampling: _mean}
