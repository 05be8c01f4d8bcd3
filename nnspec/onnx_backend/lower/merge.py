"""Layers that make one tensor of several, and of their masks one mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.merge import Add, Concatenate
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import arrange, common_axes, declared
from nnspec.onnx_backend.value import Value, as_declared

__all__ = ["TABLE"]


def _add(b: Builder, call: Call[Add]) -> Value:
    values = list(call.inputs.values())
    mask = _either(b, [value.mask for value in values if value.mask is not None]) if call.output.mask is not None else None
    if len({value.type.rank for value in values}) > 1:
        names = [_widened(b, declared(b, value), call.output.rank) for value in values]
        axes = as_declared(call.output.rank)
    else:
        axes = common_axes(values)
        names = [arrange(b, value, axes).name for value in values]
    total = reduce(lambda left, right: b.op("Add", left, right), names)
    return Value(total, call.output, axes, mask=mask)


def _either(b: Builder, masks: Sequence[str]) -> str:
    return reduce(lambda left, right: b.op("Or", left, right), masks)


def _widened(b: Builder, value: Value, rank: int) -> str:
    """Axes are matched from the last one; those that are missing stand behind the batch, with size 1."""
    missing = rank - value.type.rank
    return b.op("Unsqueeze", value.name, b.ints(range(1, missing + 1), "missing")) if missing else value.name


def _concatenate(b: Builder, call: Call[Concatenate]) -> Value:
    values = list(call.inputs.values())
    axis = call.layer.joined_axis(values[0].type)
    mask = _joined_mask(b, values, axis) if call.output.mask is not None else None
    if call.output.rank == 1 and any(value.order is not None for value in values):
        return _joined_features(b, call, values)
    axes = common_axes(values)
    names = [arrange(b, value, axes).name for value in values]
    return Value(b.op("Concat", *names, axis=axes.index(axis + 1)), call.output, axes, mask=mask)


def _joined_features(b: Builder, call: Call[Concatenate], values: Sequence[Value]) -> Value:
    """Flattened pictures keep the order in which they lie; whoever takes the features apart looks them up there."""
    start, orders = 0, []
    for value in values:
        size = value.type.shape[0]
        assert isinstance(size, int)
        orders.append(start + (np.arange(size) if value.order is None else value.order))
        start += size
    joined = b.op("Concat", *(value.name for value in values), axis=1)
    return Value(joined, call.output, as_declared(1), order=np.concatenate(orders))


def _joined_mask(b: Builder, values: Sequence[Value], axis: int) -> str:
    """An input without a mask counts as kept everywhere; along the last axis a position is kept where any input keeps it."""
    masks = [value.mask if value.mask is not None else _everywhere(b, value) for value in values]
    if axis < values[0].type.rank - 1:
        return b.op("Concat", *masks, axis=axis + 1)
    return _either(b, masks)


def _everywhere(b: Builder, value: Value) -> str:
    sizes = b.op("Shape", declared(b, value).name, end=-1)
    return b.op("ConstantOfShape", sizes, value=np.array([True]))


TABLE: Mapping[type[Layer], Lowering] = {Add: _add, Concatenate: _concatenate}
