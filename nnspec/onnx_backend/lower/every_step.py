"""The two ends of steps that run at every time step alike."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.every_step import BatchToSteps, StepsToBatch
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.steps import apart, merged
from nnspec.onnx_backend.value import Value

__all__ = ["TABLE"]


def _to_batch(b: Builder, call: Call[StepsToBatch]) -> Value:
    return merged(b, declared(b, call.x), call.output)


def _to_steps(b: Builder, call: Call[BatchToSteps]) -> Mapping[str, Value]:
    like = declared(b, call.inputs["0"])
    given = {name: declared(b, call.inputs[str(1 + number)]) for number, name in enumerate(call.layer.outputs)}
    return {name: apart(b, y, like, call.outputs[name]) for name, y in given.items()}


TABLE: Mapping[type[Layer], Lowering] = {StepsToBatch: _to_batch, BatchToSteps: _to_steps}
