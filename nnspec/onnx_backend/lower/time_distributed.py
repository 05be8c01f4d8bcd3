"""TimeDistributed: steps are merged into the batch, unless the layer supports a time axis directly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.time_distributed import BatchToSteps, StepsToBatch, TimeDistributed
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.lower import lowering_of
from nnspec.onnx_backend.value import Value
from nnspec.types import Dim, TensorType


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


def _time_distributed(b: Builder, call: Call[TimeDistributed]) -> Value:
    layer = call.layer
    if layer.inner.same_at_every_position:
        value = _run(b, Call(layer.inner, call.inputs, call.outputs, call.weights))
        return replace(value, mask=call.x.mask)
    x = declared(b, call.x)
    step, inner = merge_time(b, x, layer.step(x.type)), layer.inner_output(x.type)
    y = declared(b, _run(b, Call(layer.inner, {"x": step}, {"output": inner}, call.weights)))
    return split_time(b, replace(y, type=inner, mask=None), x, call.output)


def _run(b: Builder, call: Call[Layer]) -> Value:
    given = lowering_of(call.layer)(b, call)
    return given if isinstance(given, Value) else given["output"]


def _to_batch(b: Builder, call: Call[StepsToBatch]) -> Value:
    return merge_time(b, declared(b, call.x), call.output)


def _to_steps(b: Builder, call: Call[BatchToSteps]) -> Mapping[str, Value]:
    like = declared(b, call.inputs["0"])
    given = {name: declared(b, call.inputs[str(1 + number)]) for number, name in enumerate(call.layer.outputs)}
    return {name: split_time(b, y, like, call.outputs[name]) for name, y in given.items()}


TABLE: Mapping[type[Layer], Lowering] = {
    BatchToSteps: _to_steps,
    StepsToBatch: _to_batch,
    TimeDistributed: _time_distributed,
}
