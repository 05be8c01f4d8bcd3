"""Multi-head attention in ONNX: fused projections, then the `Attention` operator if it equals Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nnspec.layers.base import Layer
from nnspec.layers.heads import SCORES, HeadAttention
from nnspec.onnx_backend.attention_cache import append_to_cache, has_cache
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Array, Call, Lowering
from nnspec.onnx_backend.layout import declared
from nnspec.onnx_backend.lower.attention import past
from nnspec.onnx_backend.value import Value
from nnspec.types import TensorType, product, unknown


@dataclass(frozen=True)
class FlatAxes:
    """The axes that are merged into the batch and into time. The batch axis is 0.

    Attributes:
        b: The graph.
        others: The axes merged into the batch.
        attended: The axes merged into time.
    """

    b: Builder
    others: tuple[int, ...]
    attended: tuple[int, ...]

    @property
    def is_needless(self) -> bool:
        """Whether tensors already have this form."""
        return not self.others and len(self.attended) == 1

    def flattened(self, x: Value) -> Value:
        """A tensor and its mask as batch, time, features; cached per tensor."""
        if self.is_needless:
            return x
        name, mask = self.b.once(("flat", x.name, x.mask, self.others, self.attended), lambda: self._flat(x))
        return Value.declared(name, TensorType((unknown(), x.type.shape[-1]), x.type.dtype), mask)

    def _flat(self, x: Value) -> tuple[str, str | None]:
        b, lead = self.b, 1 + len(self.others)
        turned = self._turned(x)
        features = b.op("Shape", turned, start=-1)
        steps = product(x.type.shape[axis - 1] for axis in self.attended)
        count = b.ints([steps], "steps") if isinstance(steps, int) else self._count(turned, lead)
        shape = b.op("Concat", b.constant([-1], "rows", np.int64), count, features, axis=0)
        mask = None if x.mask is None else self._rows_of_mask(x.mask, turned, lead)
        return b.op("Reshape", turned, shape), mask

    def _count(self, turned: str, lead: int) -> str:
        return self.b.reduce("ReduceProd", self.b.op("Shape", turned, start=lead, end=-1), [0], keepdims=True)

    def _rows_of_mask(self, mask: str, turned: str, lead: int) -> str:
        """The mask of each example, repeated for all of its rows."""
        b = self.b
        if lead == 1:
            return mask
        wide = b.op("Unsqueeze", mask, b.ints(range(1, lead), "others"))
        steps = b.op("Shape", mask, start=1, end=2)
        wide = b.op("Expand", wide, b.op("Concat", b.op("Shape", turned, start=0, end=lead), steps, axis=0))
        return b.op("Reshape", wide, b.op("Concat", b.constant([-1], "rows", np.int64), steps, axis=0))

    def _turned(self, x: Value) -> str:
        """The tensor with axes in the order batch, others, attended, features."""
        order = [0, *self.others, *self.attended, x.type.rank]
        return x.name if order == sorted(order) else self.b.op("Transpose", x.name, perm=order)

    def restored(self, flat: str, like: Value, sizes: Sequence[int]) -> str:
        """Reshape batch, time, features to the axes of another tensor, with the given feature sizes."""
        if self.is_needless:
            return flat if len(sizes) == 1 else self.b.op("Reshape", flat, self.b.ints([0, 0, *sizes], "sizes"))
        b = self.b
        lead = b.op("Shape", self._turned(like), end=-1)
        whole = b.op("Reshape", flat, b.op("Concat", lead, b.ints(sizes, "sizes"), axis=0))
        order = [0, *self.others, *self.attended, *range(like.type.rank, like.type.rank + len(sizes))]
        return whole if order == sorted(order) else b.op("Transpose", whole, perm=[order.index(axis) for axis in sorted(order)])

    def pairs(self, scores: str, query: Value, key: Value, heads: int) -> str:
        """Reshape (batch, heads, steps, steps) to batch, others, heads, query axes, key axes."""
        if self.is_needless:
            return scores
        b, lead = self.b, 1 + len(self.others)
        ours = b.op("Shape", self._turned(query), start=0, end=lead), b.op("Shape", self._turned(query), start=lead, end=-1)
        theirs = b.op("Shape", self._turned(key), start=lead, end=-1)
        return b.op("Reshape", scores, b.op("Concat", ours[0], b.ints([heads], "count"), ours[1], theirs, axis=0))


_FAR = -1e30
"""The score of a masked position. If all positions are masked, their weights are equal, as in Keras."""


def attend(b: Builder, call: Call[HeadAttention]) -> Mapping[str, Value]:
    """Write multi-head attention.

    Inputs with more axes than time and features are reshaped to these two, and the output is reshaped back.
    """
    if has_cache(call):
        return _decoding_step(b, call)
    layer, inputs = call.layer, call.inputs
    given = {port: declared(b, inputs.get(port, inputs["value"])) for port in ("query", "key", "value")}
    flat = FlatAxes(b, layer.others(given["query"].type), layer.attended(given["query"].type))
    sources = {port: flat.flattened(x) for port, x in given.items()}
    mean, scores = _attended(b, call, sources, _projected(b, call, sources))
    y = flat.restored(_given(b, call, sources["query"].name, mean), given["query"], _sizes(call))
    found = {"output": Value.declared(y, call.output, given["query"].mask)}
    if scores and layer.return_attention_scores:
        pairs = flat.pairs(scores, given["query"], given["key"], layer.query_heads)
        found[SCORES] = Value.declared(pairs, call.outputs[SCORES])
    return found


def _decoding_step(b: Builder, call: Call[HeadAttention]) -> Mapping[str, Value]:
    """Write one decoding step. With a single query, heads and time are separated by a reshape."""
    layer = call.layer
    given = {port: declared(b, call.inputs.get(port, call.inputs["value"])) for port in ("query", "key", "value")}
    parts = _projected(b, call, given)
    sizes = {"key": layer.key_size, "value": layer.value_size}
    now = {port: b.op("Reshape", parts[port], b.ints([0, layer.key_heads, 1, size], port)) for port, size in sizes.items()}
    seen = append_to_cache(b, call, {**now, "mask": given["value"].mask or ""})
    near = {port: _last(b, value, layer.sliding_window) for port, value in seen.items()}
    scaled = b.op("Mul", parts["query"], b.constant(layer.key_size**-0.5, "scale", np.float32))
    # The query heads of a group take the place of several query positions.
    query = b.op("Reshape", scaled, b.ints([0, layer.key_heads, layer.query_heads // layer.key_heads, layer.key_size], "heads"))
    scores = b.op("MatMul", query, b.op("Transpose", near["key"], perm=[0, 1, 3, 2]))
    if kept := _seen(b, given["query"].mask, near.get("mask")):
        scores = b.op("Where", kept, scores, b.constant(_FAR, "far", np.float32))
    shares = b.op("Softmax", scores, axis=-1)
    if kept and layer.empty_rows_are_zero(call.inputs["query"].type):
        shares = b.op("Where", kept, shares, b.constant(0, "zero", np.float32))
    mean = b.op("MatMul", shares, near["value"])
    joined = b.op("Reshape", mean, b.ints([0, 1, layer.query_heads * layer.value_size], "joined"))
    y = _given(b, call, given["query"].name, joined)
    if len(_sizes(call)) > 1:
        y = b.op("Reshape", y, b.ints([0, 0, *_sizes(call)], "sizes"))
    return {"output": Value.declared(y, call.output, given["query"].mask), **seen}


def _seen(b: Builder, query: str | None, keys: str | None) -> str:
    """The mask of the scores of one token: batch, 1, 1, keys; empty for no mask."""
    masks = [b.op("Unsqueeze", mask, b.ints([1, 2], "heads")) for mask in (query, keys) if mask is not None]
    return b.op("And", *masks) if len(masks) == 2 else next(iter(masks), "")


def _last(b: Builder, value: Value, steps: int | None) -> str:
    """The last steps of the past; all if it has fewer."""
    if steps is None:
        return value.name
    axis = b.ints([2 if value.type.rank == 3 else 1], "time")
    return b.op("Slice", value.name, b.ints([-steps], "window"), b.ints([2**62], "end"), axis)


def _sizes(call: Call[HeadAttention]) -> tuple[int, ...]:
    """The feature sizes of the output."""
    return call.weights["attention_output/kernel"].shape[2:]


def _given(b: Builder, call: Call[HeadAttention], query: str, mean: str) -> str:
    """The output projection of the attended values of all heads, with features in one axis."""
    if call.layer.use_gate:
        [gate] = _project(b, call, query, ["gate"])
        mean = b.op("Mul", mean, b.op("Sigmoid", gate))
    kernel = call.weights["attention_output/kernel"]
    y = b.op("MatMul", mean, b.constant(_flat(kernel.reshape(-1, *kernel.shape[2:]), 1), "attention_output/kernel"))
    if call.layer.use_bias:
        y = b.op("Add", y, b.constant(_flat(call.weights["attention_output/bias"], 0), "attention_output/bias"))
    return y


def _attended(
    b: Builder, call: Call[HeadAttention], sources: Mapping[str, Value], parts: Mapping[str, str]
) -> tuple[str, str | None]:
    """The attended values (batch, time, heads · size), and the attention weights if computed separately."""
    layer = call.layer
    alone = not any(x.mask for x in sources.values()) and layer.sliding_window is None and not layer.return_attention_scores
    ordered = not layer.use_causal_mask or len({x.name for x in sources.values()}) == 1
    if b.opset >= 23 and alone and ordered:
        return b.op("Attention", parts["query"], parts["key"], parts["value"], bodies=None, **_attributes(layer)), None
    return _mean(b, call, parts, sources)


def _attributes(layer: HeadAttention) -> dict[str, float]:
    heads: dict[str, float] = {"q_num_heads": layer.query_heads, "kv_num_heads": layer.key_heads}
    causal = {"is_causal": 1} if layer.use_causal_mask else {}
    return {**heads, **causal, "scale": layer.key_size**-0.5}


def _projected(b: Builder, call: Call[HeadAttention], sources: Mapping[str, Value]) -> dict[str, str]:
    """Query, key and value of all heads: batch, time, heads · size. Projections of one tensor are fused."""
    found: dict[str, str] = {}
    for source in dict.fromkeys(x.name for x in sources.values()):
        names = [name for name, x in sources.items() if x.name == source]
        found |= zip(names, _project(b, call, source, names), strict=True)
    return found


def _project(b: Builder, call: Call[HeadAttention], source: str, names: Sequence[str]) -> list[str]:
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
    """Merge heads and head sizes into one axis."""
    return array.reshape(*array.shape[:lead], -1)


def _mean(b: Builder, call: Call[HeadAttention], parts: Mapping[str, str], sources: Mapping[str, Value]) -> tuple[str, str]:
    """The attended values and the attention weights, from scores and softmax."""
    layer = call.layer
    scaled = b.op("Mul", parts["query"], b.constant(layer.key_size**-0.5, "scale", np.float32))
    query = _heads(b, scaled, layer.query_heads, layer.key_size, [0, 2, 1, 3])
    key = _heads(b, parts["key"], layer.key_heads, layer.key_size, [0, 2, 3, 1])
    value = _heads(b, parts["value"], layer.key_heads, layer.value_size, [0, 2, 1, 3])
    scores = _by_group(b, layer, query, key)
    if kept := _kept(b, layer, scores, sources):
        scores = b.op("Where", kept, scores, b.constant(_FAR, "far", np.float32))
    shares = b.op("Softmax", scores, axis=-1)
    if kept and layer.empty_rows_are_zero(call.inputs["query"].type):
        # On this code path Keras returns 0 if all positions are masked.
        shares = b.op("Where", kept, shares, b.constant(0, "zero", np.float32))
    mean = b.op("Transpose", _by_group(b, layer, shares, value), perm=[0, 2, 1, 3])
    return b.op("Reshape", mean, b.ints([0, 0, layer.query_heads * layer.value_size], "joined")), shares


def _by_group(b: Builder, layer: HeadAttention, ours: str, shared: str) -> str:
    """Multiply each query head with the key or value of its group; the heads of a group are adjacent."""
    if layer.query_heads == layer.key_heads:
        return b.op("MatMul", ours, shared)
    grouped = b.op("Reshape", ours, b.ints([0, layer.key_heads, -1, 0], "groups"))
    return b.op("Reshape", b.op("MatMul", grouped, shared), b.ints([0, layer.query_heads, -1, 0], "apart"))


def _heads(b: Builder, tensor: str, heads: int, size: int, perm: Sequence[int]) -> str:
    return b.op("Transpose", b.op("Reshape", tensor, b.ints([0, 0, heads, size], "heads")), perm=list(perm))


def _kept(b: Builder, layer: HeadAttention, scores: str, sources: Mapping[str, Value]) -> str:
    """The combined mask of the scores: batch, 1, queries, keys; empty for no mask."""
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
    """Whether the distance of query and key is less than the window: queries, keys."""
    zero, one = b.constant(0, "first", np.int64), b.constant(1, "step", np.int64)
    queries, keys = (
        b.op("Range", zero, b.op("Squeeze", b.op("Shape", scores, start=axis, end=axis + 1)), one) for axis in (2, 3)
    )
    apart = b.op("Abs", b.op("Sub", b.op("Unsqueeze", queries, b.ints([1], "keys")), keys))
    return b.op("Less", apart, b.constant(window, "window", np.int64))


TABLE: Mapping[type[Layer], Lowering] = {HeadAttention: attend}
