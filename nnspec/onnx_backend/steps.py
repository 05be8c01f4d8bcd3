"""Merges time into the batch, and splits it again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.value import Value
from nnspec.types import Dim, TensorType

__all__ = ["merge_time", "split_time"]


def merge_time(b: Builder, x: Value, step: TensorType) -> Value:
    """Merge batch and time of a tensor, and of its mask if a step has one.

    Args:
        b: The graph.
        x: A tensor in the spec's axis order.
        step: The type at one step.
    """
    sizes = [size for size in step.shape if isinstance(size, int)]
    known = len(sizes) == step.rank
    name = b.op("Reshape", x.name, b.ints([-1, *sizes], "shape")) if known else _rows(b, x.name)
    return Value.declared(name, step, _rows(b, x.mask) if x.mask is not None and step.mask is not None else None)


def _rows(b: Builder, tensor: str) -> str:
    """Merge batch and time, with the other sizes determined at run time."""
    rest = b.op("Shape", tensor, start=2)
    return b.op("Reshape", tensor, b.op("Concat", b.constant([-1], "rows", np.int64), rest, axis=0))


def split_time(b: Builder, y: Value, like: Value, output: TensorType) -> Value:
    """Split batch and time of a tensor as in another one; the mask is that of the steps, or else of the other tensor.

    Args:
        b: The graph.
        y: A tensor in the spec's axis order.
        like: The tensor with the batch and time axes.
        output: The type of the result.
    """
    lead = b.op("Shape", like.name, start=0, end=2)
    name = _split(b, y.name, lead, y.type.shape)
    mask = like.mask if y.mask is None or y.type.mask is None else _split(b, y.mask, lead, y.type.mask)
    return Value.declared(name, output, mask)


def _split(b: Builder, tensor: str, lead: str, shape: Sequence[int | Dim]) -> str:
    if not shape:
        return b.op("Reshape", tensor, lead)
    sizes = [size for size in shape if isinstance(size, int)]
    rest = b.ints(sizes, "sizes") if len(sizes) == len(shape) else b.op("Shape", tensor, start=1)
    return b.op("Reshape", tensor, b.op("Concat", lead, rest, axis=0))
