"""Attention."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from nnspec.layers.attention import AdditiveAttention, Attention, DotAttention
from nnspec.layers.base import Layer
from nnspec.layers.heads import SCORES
from nnspec.onnx_backend.attention_cache import append_to_cache, has_cache, without_cache
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.value import Value

D = TypeVar("D", bound=DotAttention)

_FAR = 1e9
"""What Keras subtracts from the score of a masked position: finite, so a fully masked row is a plain mean."""


def _attention(b: Builder, call: Call[Attention]) -> Mapping[str, Value]:
    if has_cache(call):
        return _decoding_step(b, call, _attention)
    query, key = (declared(b, call.inputs.get(port, call.inputs["value"])).name for port in ("query", "key"))
    scale = b.constant(call.weights["scale"], "scale") if "scale" in call.weights else None
    if call.layer.score_mode == "concat":
        scores = _compared(b, query, key, scale, call)
    else:
        scores = b.op("MatMul", query, b.op("Transpose", key, perm=[0, 2, 1]))
        scores = b.op("Mul", scores, scale) if scale else scores
    return _attend(b, call, scores)


def _compared(b: Builder, query: str, key: str, scale: str | None, call: Call[Attention]) -> str:
    both = b.op("Add", b.op("Unsqueeze", query, b.ints([2], "keys")), b.op("Unsqueeze", key, b.ints([1], "queries")))
    bent = b.op("Tanh", b.op("Mul", scale, both) if scale else both)
    total = b.op("ReduceSum", bent, b.ints([-1], "last"), keepdims=0)
    return b.op("Mul", total, b.constant(call.weights["concat_score_weight"], "concat_score_weight"))


def _attend(b: Builder, call: Call[DotAttention], scores: str) -> Mapping[str, Value]:
    """The attended values of scores, with masks and causality applied.

    Args:
        b: The graph.
        call: The layer.
        scores: Batch, queries, keys.
    """
    query, value = call.inputs["query"], declared(b, call.inputs["value"])
    kept = b.op("Unsqueeze", value.mask, b.ints([1], "queries")) if value.mask is not None else None
    if call.layer.use_causal_mask:
        before = past(b, scores, 1)
        kept = before if kept is None else b.op("And", kept, before)
    if kept is not None:
        scores = b.op("Where", kept, scores, b.op("Sub", scores, b.constant(_FAR, "far", np.float32)))
    shares = b.op("Softmax", scores, axis=-1)
    mean = b.op("MatMul", shares, value.name)
    if query.mask is not None:
        mask = b.op("Unsqueeze", query.mask, b.ints([2], "features"))
        mean = b.op("Where", mask, mean, b.constant(0, "zero", np.float32))
    found = {"output": Value.declared(mean, call.output, query.mask)}
    if call.layer.return_attention_scores:
        found[SCORES] = Value.declared(shares, call.outputs[SCORES])
    return found


def _decoding_step(b: Builder, call: Call[D], attend: Callable[[Builder, Call[D]], Mapping[str, Value]]) -> Mapping[str, Value]:
    """Write one decoding step, which attends to all tokens so far."""
    value = declared(b, call.inputs["value"])
    seen = append_to_cache(b, call, {"value": value.name, "mask": value.mask or ""})
    every = replace(value, name=seen["value"].name, mask=seen["mask"].name if "mask" in seen else None)
    now = without_cache(call)
    inputs = {port: every if port in ("value", "key") else given for port, given in now.inputs.items()}
    return {**attend(b, replace(now, inputs=inputs)), **seen}


def past(b: Builder, scores: str, lead: int) -> str:
    """The causal mask, true where a key is not after its query: queries, keys.

    Args:
        b: The graph.
        scores: A tensor whose last two axes are queries and keys.
        lead: The number of axes before these.
    """
    sizes = b.op("Shape", scores, start=lead)
    ones = b.op("ConstantOfShape", sizes, value=np.ones(1, np.float32))
    return b.op("Cast", b.op("Trilu", ones, upper=0), to=9)


def _additive(b: Builder, call: Call[AdditiveAttention]) -> Mapping[str, Value]:
    if has_cache(call):
        return _decoding_step(b, call, _additive)
    query, key = (declared(b, call.inputs.get(port, call.inputs["value"])).name for port in ("query", "key"))
    both = b.op("Add", b.op("Unsqueeze", query, b.ints([2], "keys")), b.op("Unsqueeze", key, b.ints([1], "queries")))
    bent = b.op("Tanh", both)
    if "scale" in call.weights:
        scale = b.constant(call.weights["scale"].reshape(-1, 1), "scale")
        return _attend(b, call, b.op("Squeeze", b.op("MatMul", bent, scale), b.ints([-1], "last")))
    return _attend(b, call, b.op("ReduceSum", bent, b.ints([-1], "last"), keepdims=0))


TABLE: Mapping[type[Layer], Lowering] = {AdditiveAttention: _additive, Attention: _attention}
