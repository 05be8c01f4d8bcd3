"""One mistake in a written model: a weight, a pad, or the order of gates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

__all__ = ["KINDS", "Mutant", "mutants"]

KINDS = ("weight", "pad", "gates")


@dataclass(frozen=True)
class Mutant:
    """A model with one mistake.

    Attributes:
        kind: ``weight``, ``pad`` or ``gates``.
        reported: What is wrong.
        model: The model.
    """

    kind: str
    reported: str
    model: onnx.ModelProto


def mutants(model: onnx.ModelProto, random: Random, kind: str) -> Iterator[Mutant]:
    """Models that have one mistake of a kind each, in a drawn order.

    Args:
        model: The model without a mistake.
        random: What decides.
        kind: One of ``KINDS``.
    """
    places = list(_PLACES[kind](model))
    for place in random.sample(places, len(places)):
        changed = onnx.ModelProto()
        changed.CopyFrom(model)
        yield Mutant(kind, _CHANGES[kind](changed, place, random), changed)


def _weights(model: onnx.ModelProto) -> Iterator[int]:
    """Arrays of floats that are no argument of a resize: a scale decides on sizes."""
    scales = {name for node in model.graph.node if node.op_type == "Resize" for name in node.input[1:]}
    for place, tensor in enumerate(model.graph.initializer):
        if tensor.data_type == onnx.TensorProto.FLOAT and tensor.name not in scales and tensor.dims:
            yield place


def _change_weight(model: onnx.ModelProto, place: int, random: Random) -> str:
    tensor = model.graph.initializer[place]
    array = numpy_helper.to_array(tensor).copy()
    at = random.randrange(array.size)
    step = 0.1 * max(float(np.abs(array).max()), 0.1)
    array.flat[at] += random.choice([-step, step])
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    return f"element {at} of {tensor.name} moved by {step:.3g}"


def _padded(model: onnx.ModelProto) -> Iterator[int]:
    for place, node in enumerate(model.graph.node):
        if node.op_type in ("Conv", "MaxPool", "AveragePool") and any(any(_pads(node)) for _ in (0,)):
            yield place


def _pads(node: onnx.NodeProto) -> list[int]:
    return next((list(attribute.ints) for attribute in node.attribute if attribute.name == "pads"), [])


def _change_pad(model: onnx.ModelProto, place: int, random: Random) -> str:
    """One position of padding goes from one end to the other, so that sizes stay."""
    node = model.graph.node[place]
    pads = _pads(node)
    axis = random.choice([axis for axis, size in enumerate(pads) if size])
    other = (axis + len(pads) // 2) % len(pads)
    pads[axis] -= 1
    pads[other] += 1
    next(attribute for attribute in node.attribute if attribute.name == "pads").CopyFrom(helper.make_attribute("pads", pads))
    return f"one pad of {node.op_type} {node.name} from {axis} to {other}"


_GATES = {"LSTM": 4, "GRU": 3}


def _gated(model: onnx.ModelProto) -> Iterator[int]:
    return (place for place, node in enumerate(model.graph.node) if node.op_type in _GATES)


def _change_gates(model: onnx.ModelProto, place: int, random: Random) -> str:
    """Two gates change places in all weights of the operator."""
    node = model.graph.node[place]
    gates = _GATES[node.op_type]
    one, other = random.sample(range(gates), 2)
    order = list(range(gates))
    order[one], order[other] = other, one
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for name in node.input[1:4]:
        if name in tensors:
            array = numpy_helper.to_array(tensors[name])
            parts = np.split(array, gates * (2 if name in node.input[3:4] else 1), axis=1)
            whole = [order[part % gates] + part // gates * gates for part in range(len(parts))]
            changed = np.concatenate([parts[part] for part in whole], axis=1)
            tensors[name].CopyFrom(numpy_helper.from_array(changed, name))
    return f"gates {one} and {other} of {node.op_type} {node.name} exchanged"


_PLACES: dict[str, Callable[[onnx.ModelProto], Iterator[int]]] = {"weight": _weights, "pad": _padded, "gates": _gated}
_CHANGES: dict[str, Callable[[Any, int, Random], str]] = {
    "weight": _change_weight,
    "pad": _change_pad,
    "gates": _change_gates,
}
