"""Time as part of the batch, and apart from it again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.value import Value
from nnspec.types import Dim, TensorType

__all__ = ["apart", "merged"]


def merged(b: Builder, x: Value, step: TensorType) -> Value:
    """The tensor with batch and time in one axis, and its mask, where a step has one.

    Args:
        b: The graph.
        x: A tensor in the spec's order.
        step: The type at one step.
    """
    sizes = [size for size in step.shape if isinstance(size, int)]
    known = len(sizes) == step.rank
    name = b.op("Reshape", x.name, b.ints([-1, *sizes], "shape")) if known else _rows(b, x.name)
    return Value.declared(name, step, _rows(b, x.mask) if x.mask is not None and step.mask is not None else None)


def _rows(b: Builder, tensor: str) -> str:
    """The same, with the sizes of the other axes looked up."""
    rest = b.op("Shape", tensor, start=2)
    return b.op("Reshape", tensor, b.op("Concat", b.constant([-1], "rows", np.int64), rest, axis=0))


def apart(b: Builder, y: Value, like: Value, output: TensorType) -> Value:
    """What steps gave, with batch and time apart as another tensor has them, and with the steps' mask, or else that tensor's.

    Args:
        b: The graph.
        y: A tensor in the spec's order.
        like: Another one.
        output: The type it then has.
    """
    lead = b.op("Shape", like.name, start=0, end=2)
    name = _unmerged(b, y.name, lead, y.type.shape)
    mask = like.mask if y.mask is None or y.type.mask is None else _unmerged(b, y.mask, lead, y.type.mask)
    return Value.declared(name, output, mask)


def _unmerged(b: Builder, tensor: str, lead: str, shape: Sequence[int | Dim]) -> str:
    if not shape:
        return b.op("Reshape", tensor, lead)
    sizes = [size for size in shape if isinstance(size, int)]
    rest = b.ints(sizes, "sizes") if len(sizes) == len(shape) else b.op("Shape", tensor, start=1)
    return b.op("Reshape", tensor, b.op("Concat", lead, rest, axis=0))
