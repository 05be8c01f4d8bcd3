"""Causal attention at one decoding step, with cached keys and values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from nnspec.layers.attention import DotAttention
from nnspec.layers.heads import HeadAttention
from nnspec.layers.time_dependence import PAST
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call
from nnspec.onnx_backend.value import Value

L = TypeVar("L", bound=HeadAttention | DotAttention)


def has_cache(call: Call[L]) -> bool:
    """Whether the layer reads cached keys and values."""
    return "past_value" in call.inputs


def without_cache(call: Call[L]) -> Call[Any]:
    """The layer without the cache and causality: all keys are visible to the last token."""
    inputs = {port: value for port, value in call.inputs.items() if port not in PAST}
    return Call(call.layer.model_copy(update={"use_causal_mask": False}), inputs, call.outputs, call.weights)


def append_to_cache(b: Builder, call: Call[L], now: Mapping[str, str]) -> dict[str, Value]:
    """Append the current keys, values and mask to the cache, along time; by output.

    Args:
        b: The graph.
        call: The layer, with the cache.
        now: ``key``, ``value`` and ``mask`` of the current token, as far as the layer caches them.
    """
    found = {}
    for port, output in PAST.items():
        if port in call.inputs:
            name = b.op("Concat", call.inputs[port].name, now[output], axis=2 if call.outputs[output].rank == 3 else 1)
            found[output] = Value.declared(name, call.outputs[output])
    return found
