"""Attention whose heads share keys and values in groups."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from nnspec.keras_backend import layers
from nnspec.keras_backend.call import Lowering
from nnspec.keras_backend.lower.multi_head_attention import attended
from nnspec.layers.base import Layer
from nnspec.layers.group_query_attention import GroupQueryAttention

__all__ = ["TABLE"]

TABLE: Mapping[type[Layer], Lowering] = {GroupQueryAttention: partial(attended, kind=layers.GroupQueryAttention)}
