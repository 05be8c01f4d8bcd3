"""Dense and Embedding."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.layers.base import Layer
from nnspec.layers.core import Dense, Embedding
from nnspec.onnx_backend.activation import activate
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.lower.convolution import convolve
from nnspec.onnx_backend.value import Value, channels_first


def _dense(b: Builder, call: Call[Dense]) -> Value:
    x, kernel, bias = call.x, call.weights["kernel"], call.weights.get("bias")
    rank = x.type.rank
    if rank > 1 and x.axes == channels_first(rank):
        # On a channels-first image: a 1×1 convolution, which needs no transpose.
        y = convolve(b, x, kernel.reshape(*[1] * (rank - 1), *kernel.shape), bias, {})
        y = Value(y.name, call.output, y.axes)
    elif rank == 1:
        # If the features are permuted (a flattened channels-first image), the kernel's rows are permuted instead.
        rows = kernel if x.order is None else kernel[x.order]
        inputs = [b.constant(rows, "kernel")] + ([b.constant(bias, "bias")] if bias is not None else [])
        y = Value.declared(b.op("Gemm", x.name, *inputs), call.output)
    elif rank == 2 and x.type.shape[0] == 1 and x.axes[-1] == rank and bias is not None:
        # With a single step the input is a matrix, and `Gemm` includes the bias.
        flat = b.op("Reshape", x.name, b.ints([-1, kernel.shape[0]], "features"))
        name = b.op("Gemm", flat, b.constant(kernel, "kernel"), b.constant(bias, "bias"))
        y = Value(b.op("Unsqueeze", name, b.ints([x.axes.index(1)], "steps")), call.output, x.axes)
    else:
        x = x if x.axes[-1] == rank else declared(b, x)
        name = b.op("MatMul", x.name, b.constant(kernel, "kernel"))
        if bias is not None:
            name = b.op("Add", name, b.constant(bias, "bias"))
        y = Value(name, call.output, x.axes)
    return activate(b, y, call.layer.activation)


def _embedding(b: Builder, call: Call[Embedding]) -> Value:
    return look_up(b, call, mask_zero=call.layer.mask_zero)


def look_up(b: Builder, call: Call[Layer], *, mask_zero: bool) -> Value:
    """Look up rows of ``embeddings`` by integers. Element types other than int64 are cast to int32, as in Keras."""
    tokens = declared(b, call.x)
    index = tokens.name if tokens.type.dtype in ("int32", "int64") else b.op("Cast", tokens.name, to=6)
    y = b.op("Gather", b.constant(call.weights["embeddings"], "embeddings"), index)
    mask = b.op("Cast", tokens.name, to=9) if mask_zero else None
    return Value.declared(y, call.output, mask)


TABLE: Mapping[type[Layer], Lowering] = {Dense: _dense, Embedding: _embedding}
