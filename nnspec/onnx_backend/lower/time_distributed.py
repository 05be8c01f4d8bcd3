"""TimeDistributed: steps are merged into the batch, unless the layer supports a time axis directly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nnspec.layers.base import Layer
from nnspec.layers.time_distributed import BatchToSteps, StepsToBatch, TimeDistributed
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.lower import lowering_of
from nnspec.onnx_backend.steps import merge_time, split_time
from nnspec.onnx_backend.value import Value

__all__ = ["TABLE"]


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
