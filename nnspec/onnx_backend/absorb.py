"""Folds a per-channel scale and offset into the preceding convolution or dense layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.value import Linear, Value

__all__ = ["absorb"]


def absorb(b: Builder, x: Value, scale: np.ndarray, offset: np.ndarray) -> Value:
    """Fold a scale and an offset per output channel into the node that computes a value.

    ``(x · k + c) · s + o = x · (k · s) + (c · s + o)``. The caller ensures that nothing else reads ``x``.

    Args:
        b: The graph; the node's kernel and bias are replaced in it.
        x: A value with a `linear`.
        scale: The scale of each channel.
        offset: The offset of each channel.
    """
    assert x.linear is not None
    node = b.named(x.linear.node)
    shape = [-1 if axis == x.linear.axis else 1 for axis in range(x.linear.kernel.ndim)]
    kernel = (x.linear.kernel * scale.reshape(shape)).astype(np.float32)
    before = 0.0 if x.linear.bias is None else x.linear.bias
    bias = (before * scale + offset).astype(np.float32)
    owner = node.name.rpartition("/")[0]
    node.inputs[1:] = [b.constant(kernel, "kernel", at=owner), b.constant(bias, "bias", at=owner)]
    b.rename(x.name, f"{b.scope}/output")
    return replace(x, linear=Linear(node.name, kernel, bias, x.linear.axis))
