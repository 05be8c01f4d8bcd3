"""Sampling: the mean in inference."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.sampling import DIVERGENCE, Sampling
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.value import Value


def _mean(b: Builder, call: Call[Sampling]) -> Mapping[str, Value]:
    mean = call.inputs["mean"]
    if not call.layer.return_divergence:
        return {"output": mean}
    mean = declared(b, mean)
    log_variance = declared(b, call.inputs["log_variance"]).name
    # In Keras's order of operations: near 1 the difference from 1 is exact before the logarithm is subtracted.
    above = b.op(
        "Sub", b.op("Add", b.op("Mul", mean.name, mean.name), b.op("Exp", log_variance)), b.constant(1, "one", np.float32)
    )
    each = b.op("Mul", b.op("Sub", above, log_variance), b.constant(0.5, "half", np.float32))
    axes = range(1, mean.type.rank + 1)
    summed = b.reduce("ReduceSum", each, axes, keepdims=False) if mean.type.rank else each
    return {"output": mean, DIVERGENCE: Value.declared(summed, call.outputs[DIVERGENCE])}


TABLE: Mapping[type[Layer], Lowering] = {Sampling: _mean}
