"""MultiHeadAttention."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.multi_head_attention import MultiHeadAttention
from nnspec.onnx_backend.call import Lowering
from nnspec.onnx_backend.heads import attend

__all__ = ["TABLE"]

TABLE: Mapping[type[Layer], Lowering] = {MultiHeadAttention: attend}
