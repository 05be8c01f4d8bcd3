"""Attention of several heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.multi_head_attention import MultiHeadAttention
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Array, Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.lower.attention import past
from nnspec.onnx_backend.value import Value

__all__ = ["TABLE"]

_FAR = -1e30
"""The score of a position that is left out. Where all are, all weigh the same, as in Keras."""


def _multi_head(b: Builder, call: Call[MultiHeadAttention]) -> Value:
    layer, inputs = call.layer, call.inputs
    query, value = declared(b, inputs["query"]), declared(b, inputs["value"])
    key = declared(b, inputs.get("key", inputs["value"]))
    sources = {"query": query, "key": key, "value": value}
    parts = _projected(b, call, sources)
    alone = not any(x.mask for x in sources.values()) and layer.sliding_window is None
    if b.opset >= 23 and alone and (not layer.use_causal_mask or query.name == value.name == key.name):
        mean = b.op("Attention", parts["query"], parts["key"], parts["value"], bodies=None, **_attributes(layer))
    else:
        mean = _mean(b, call, parts, sources)
    if layer.use_gate:
        [gate] = _project(b, call, query.name, ["gate"])
        mean = b.op("Mul", mean, b.op("Sigmoid", gate))
    kernel = call.weights["attention_output/kernel"]
    y = b.op("MatMul", mean, b.constant(kernel.reshape(-1, kernel.shape[-1]), "attention_output/kernel"))
    if layer.use_bias:
        y = b.op("Add", y, b.constant(call.weights["attention_output/bias"], "attention_output/bias"))
    return Value.declared(y, call.output, query.mask)


def _attributes(layer: MultiHeadAttention) -> dict[str, float]:
    heads: dict[str, float] = {"q_num_heads": layer.num_heads, "kv_num_heads": layer.num_heads}
    causal = {"is_causal": 1} if layer.use_causal_mask else {}
    return {**heads, **causal, "scale": layer.key_dim**-0.5}


def _projected(b: Builder, call: Call[MultiHeadAttention], sources: Mapping[str, Value]) -> dict[str, str]:
    """Query, key and value for all heads: batch, time, heads · size. What comes from one tensor is one product."""
    found: dict[str, str] = {}
    for source in dict.fromkeys(x.name for x in sources.values()):
        names = [name for name, x in sources.items() if x.name == source]
        found |= zip(names, _project(b, call, source, names), strict=True)
    return found


def _project(b: Builder, call: Call[MultiHeadAttention], source: str, names: Sequence[str]) -> list[str]:
    kernels = [_flat(call.weights[f"{name}/kernel"], 1) for name in names]
    joined = "_".join(names)
    y = b.op("MatMul", source, b.constant(np.concatenate(kernels, axis=1), f"{joined}/kernel"))
    if call.layer.use_bias:
        biases = [_flat(call.weights[f"{name}/bias"], 0) for name in names]
        y = b.op("Add", y, b.constant(np.concatenate(biases), f"{joined}/bias"))
    if len(names) == 1:
        return [y]
    return b.ops("Split", [y, b.ints([kernel.shape[1] for kernel in kernels], "sizes")], len(names), axis=-1)


def _flat(array: Array, lead: int) -> Array:
    """Heads and their sizes in one axis."""
    return array.reshape(*array.shape[:lead], -1)


def _mean(b: Builder, call: Call[MultiHeadAttention], parts: Mapping[str, str], sources: Mapping[str, Value]) -> str:
    """Scores, shares, and the mean of the values: batch, time, heads · size."""
    layer = call.layer
    scaled = b.op("Mul", parts["query"], b.constant(layer.key_dim**-0.5, "scale", np.float32))
    query = _heads(b, scaled, layer.num_heads, layer.key_dim, [0, 2, 1, 3])
    key = _heads(b, parts["key"], layer.num_heads, layer.key_dim, [0, 2, 3, 1])
    value = _heads(b, parts["value"], layer.num_heads, layer.value_size, [0, 2, 1, 3])
    scores = b.op("MatMul", query, key)
    if kept := _kept(b, layer, scores, sources):
        scores = b.op("Where", kept, scores, b.constant(_FAR, "far", np.float32))
    shares = b.op("Softmax", scores, axis=-1)
    if kept and layer.dropout:
        # With dropout Keras takes another way, which gives 0 where nothing is left.
        shares = b.op("Where", kept, shares, b.constant(0, "zero", np.float32))
    mean = b.op("Transpose", b.op("MatMul", shares, value), perm=[0, 2, 1, 3])
    return b.op("Reshape", mean, b.ints([0, 0, layer.num_heads * layer.value_size], "joined"))


def _heads(b: Builder, tensor: str, heads: int, size: int, perm: Sequence[int]) -> str:
    return b.op("Transpose", b.op("Reshape", tensor, b.ints([0, 0, heads, size], "heads")), perm=list(perm))


def _kept(b: Builder, layer: MultiHeadAttention, scores: str, sources: Mapping[str, Value]) -> str:
    """Which scores count, from all masks: batch, 1, queries, keys; empty where all do."""
    axes = {"query": [1, 3], "key": [1, 2], "value": [1, 2]}
    distinct = {(x.mask, port == "query"): port for port, x in reversed(list(sources.items())) if x.mask is not None}
    masks = [b.op("Unsqueeze", mask, b.ints(axes[port], port)) for (mask, _), port in distinct.items() if mask is not None]
    if layer.use_causal_mask:
        masks.append(past(b, scores, 2))
    if layer.sliding_window is not None:
        masks.append(_near(b, scores, layer.sliding_window))
    kept = ""
    for mask in masks:
        kept = b.op("And", kept, mask) if kept else mask
    return kept


def _near(b: Builder, scores: str, window: int) -> str:
    """Whether query and key are nearer than a window: queries, keys."""
    zero, one = b.constant(0, "first", np.int64), b.constant(1, "step", np.int64)
    queries, keys = (
        b.op("Range", zero, b.op("Squeeze", b.op("Shape", scores, start=axis, end=axis + 1)), one) for axis in (2, 3)
    )
    apart = b.op("Abs", b.op("Sub", b.op("Unsqueeze", queries, b.ints([1], "keys")), keys))
    return b.op("Less", apart, b.constant(window, "window", np.int64))


TABLE: Mapping[type[Layer], Lowering] = {MultiHeadAttention: _multi_head}
