"""ReversibleEmbedding."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.reversible_embedding import ReversibleEmbedding
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.lower.core import look_up
from nnspec.onnx_backend.proto import ELEMENT
from nnspec.onnx_backend.value import Value


def _reversible(b: Builder, call: Call[ReversibleEmbedding]) -> Value:
    layer = call.layer
    if not layer.reverse:
        return look_up(b, call, mask_zero=layer.mask_zero)
    x = declared(b, call.x).name
    # Tied embeddings are transposed in the graph, so that the file stores them once.
    if layer.tie_weights:
        kernel = b.op("Transpose", b.constant(call.weights["embeddings"], "embeddings"), perm=[1, 0])
    else:
        kernel = b.constant(call.weights["reverse_embeddings"], "reverse_embeddings")
    dtype = call.output.dtype
    if dtype != "float32":
        x, kernel = (b.op("Cast", tensor, to=ELEMENT[dtype]) for tensor in (x, kernel))
    scores = b.op("MatMul", x, kernel)
    if layer.logit_soft_cap is not None:
        cap = b.constant(layer.logit_soft_cap, "logit_soft_cap", np.float32)
        cap = cap if dtype == "float32" else b.op("Cast", cap, to=ELEMENT[dtype])
        scores = b.op("Mul", b.op("Tanh", b.op("Div", scores, cap)), cap)
    return Value.declared(scores, call.output)


TABLE: Mapping[type[Layer], Lowering] = {ReversibleEmbedding: _reversible}
