"""Merge layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial, reduce

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.merge import Add, Average, Concatenate, Elementwise, Maximum, Minimum, Multiply, Subtract
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import arrange, common_axes, declared
from nnspec.onnx_backend.value import Axes, Value, as_declared


def _elementwise(b: Builder, call: Call[Elementwise], *, type: str) -> Value:
    values = list(call.inputs.values())
    names, axes = _aligned(b, values, call.output.rank)
    if type in ("Max", "Min", "Mean"):
        result = b.op(type, *names)
    else:
        result = reduce(lambda left, right: b.op(type, left, right), names)
    return Value(result, call.output, axes, mask=_joint(b, call))


def _aligned(b: Builder, values: Sequence[Value], rank: int) -> tuple[list[str], Axes]:
    """The tensors in a common axis order."""
    if len({value.type.rank for value in values}) > 1:
        return [_widened(b, declared(b, value), rank) for value in values], as_declared(rank)
    axes = common_axes(values)
    return [arrange(b, value, axes).name for value in values], axes


def _joint(b: Builder, call: Call[Elementwise]) -> str | None:
    """The merged mask: the union of the inputs' masks."""
    if call.output.mask is None:
        return None
    return _either(b, [value.mask for value in call.inputs.values() if value.mask is not None])


def _multiply(b: Builder, call: Call[Multiply]) -> Value:
    """Write Multiply. In Keras masked positions count as 1, and the result is 0 where all inputs are masked."""
    masks = _spread(b, call)
    if not masks:
        return _elementwise(b, call, type="Mul")
    one = b.constant(1, "one", np.float32)
    names = _flat(b, call)
    kept = [b.op("Where", masks[port], name, one) if port in masks else name for port, name in names.items()]
    product = reduce(lambda left, right: b.op("Mul", left, right), kept)
    mask = _joint(b, call)
    if mask is not None:
        product = b.op("Where", b.op("Unsqueeze", mask, b.ints([-1], "last")), product, b.constant(0, "zero", np.float32))
    return Value.declared(product, call.output, mask)


def _extreme(b: Builder, call: Call[Maximum | Minimum], *, type: str) -> Value:
    """Write Maximum or Minimum. In Keras masked positions are ignored, input by input."""
    masks = _spread(b, call)
    if not masks:
        return _elementwise(b, call, type=type)
    (first, result), *others = _flat(b, call).items()
    kept = masks.get(first)
    for port, name in others:
        mask = masks.get(port)
        if mask is not None:
            name = b.op("Where", mask, name, result)
        if kept is not None:
            result = b.op("Where", kept, result, name)
        kept = b.op("Or", kept, mask) if kept is not None and mask is not None else None
        result = b.op(type, result, name)
    return Value.declared(result, call.output, _joint(b, call))


def _spread(b: Builder, call: Call[Elementwise]) -> dict[str, str]:
    """The masks with a feature axis, by port; an input whose rank Keras expands loses its mask."""
    last = b.ints([-1], "last")
    return {
        port: b.op("Unsqueeze", value.mask, last)
        for port, value in call.inputs.items()
        if value.mask is not None and value.type.rank == call.output.rank
    }


def _flat(b: Builder, call: Call[Elementwise]) -> dict[str, str]:
    """The inputs in the spec's axis order and of equal rank, by port."""
    return {port: _widened(b, declared(b, value), call.output.rank) for port, value in call.inputs.items()}


def _either(b: Builder, masks: Sequence[str]) -> str:
    return reduce(lambda left, right: b.op("Or", left, right), masks)


def _widened(b: Builder, value: Value, rank: int) -> str:
    """Insert axes of size 1 after the batch axis, up to a rank."""
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
    """Concatenate features. Flattened channels-first images stay permuted; the order is recorded in the value."""
    start, orders = 0, []
    for value in values:
        size = value.type.shape[0]
        assert isinstance(size, int)
        orders.append(start + (np.arange(size) if value.order is None else value.order))
        start += size
    joined = b.op("Concat", *(value.name for value in values), axis=1)
    return Value(joined, call.output, as_declared(1), order=np.concatenate(orders))


def _joined_mask(b: Builder, values: Sequence[Value], axis: int) -> str:
    """The concatenated mask, all true for unmasked inputs; along the last axis, the union of the masks."""
    masks = [value.mask if value.mask is not None else _everywhere(b, value) for value in values]
    if axis < values[0].type.rank - 1:
        return b.op("Concat", *masks, axis=axis + 1)
    return _either(b, masks)


def _everywhere(b: Builder, value: Value) -> str:
    sizes = b.op("Shape", declared(b, value).name, end=-1)
    return b.op("ConstantOfShape", sizes, value=np.array([True]))


TABLE: Mapping[type[Layer], Lowering] = {
    Add: partial(_elementwise, type="Add"),
    Average: partial(_elementwise, type="Mean"),
    Concatenate: _concatenate,
    Maximum: partial(_extreme, type="Max"),
    Minimum: partial(_extreme, type="Min"),
    Multiply: _multiply,
    Subtract: partial(_elementwise, type="Sub"),
}
