"""GroupQueryAttention: groups of heads share keys and values."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.group_query_attention import GroupQueryAttention
from nnspec.onnx_backend.call import Lowering
from nnspec.onnx_backend.heads import attend

__all__ = ["TABLE"]

TABLE: Mapping[type[Layer], Lowering] = {GroupQueryAttention: attend}
