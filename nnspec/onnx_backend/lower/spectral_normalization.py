"""SpectralNormalization: the wrapped layer in inference."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.spectral_normalization import SpectralNormalization
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.lower import lowering_of
from nnspec.onnx_backend.value import Value


def _spectral(b: Builder, call: Call[SpectralNormalization]) -> Value | Mapping[str, Value]:
    """Write the wrapped layer; its kernel is stored normalized, the norm's estimate is used only in training."""
    inner = call.layer.inner
    weights = {name: array for name, array in call.weights.items() if name != "vector_u"}
    return lowering_of(inner)(b, Call(inner, call.inputs, call.outputs, weights))


TABLE: Mapping[type[Layer], Lowering] = {SpectralNormalization: _spectral}
