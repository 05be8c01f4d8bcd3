"""Causal attention at one token: the keys and values of those before it come in, and go out with its own behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from nnspec.layers.along_time import PAST
from nnspec.layers.attention import DotAttention
from nnspec.layers.heads import HeadAttention
from nnspec.onnx_backend.builder import Builder
from nnspec.onnx_backend.call import Call
from nnspec.onnx_backend.value import Value

__all__ = ["alone", "extended", "is_remembering"]

L = TypeVar("L", bound=HeadAttention | DotAttention)


def is_remembering(call: Call[L]) -> bool:
    """Whether the layer is given what came before."""
    return "past_value" in call.inputs


def alone(call: Call[L]) -> Call[Any]:
    """The layer without what came before, and without causality: what it is then given is what the last token sees."""
    inputs = {port: value for port, value in call.inputs.items() if port not in PAST}
    return Call(call.layer.model_copy(update={"use_causal_mask": False}), inputs, call.outputs, call.weights)


def extended(b: Builder, call: Call[L], now: Mapping[str, str]) -> dict[str, Value]:
    """What came before with what comes now behind it, along time; by output.

    Args:
        b: The graph.
        call: The layer, with what came before.
        now: ``key``, ``value`` and ``mask`` of this token; those that the layer keeps.
    """
    found = {}
    for port, output in PAST.items():
        if port in call.inputs:
            name = b.op("Concat", call.inputs[port].name, now[output], axis=2 if call.outputs[output].rank == 3 else 1)
            found[output] = Value.declared(name, call.outputs[output])
    return found
