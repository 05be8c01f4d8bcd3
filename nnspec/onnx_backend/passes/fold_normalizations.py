"""Folds normalizations with constant statistics into the preceding convolution or dense layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nnspec.onnx_backend.builder import Builder, Operation

_CHANNELS = {"Conv": (0, 1), "ConvTranspose": (1, 1), "Gemm": (1, 1)}
"""The linear operators: the kernel's axis of output channels, and the output's."""

_NOT_PLAIN = {"Conv": (), "ConvTranspose": ("group",), "Gemm": ("alpha", "beta", "transA", "transB")}
"""The attributes with which an operator is another one."""


def fold_normalizations(b: Builder) -> None:
    """Fold a scale and an offset of each channel into the linear operator that only they read.

    ``(x · k + c) · s + o = x · (k · s) + (c · s + o)``. Only constants whose elements are known before they were rounded
    (`Builder.exact`) are folded: those of normalizations.
    """
    reads = Counter(_reads(b.operations))
    reads.update(b.outputs.values())
    places = {name: place for place, name in enumerate(b.constants)}
    _fold(b, b.operations, reads, places)
    b.constants = dict(sorted(b.constants.items(), key=lambda item: places[item[0]]))


def _reads(operations: list[Operation]) -> Iterator[str]:
    for operation in operations:
        yield from operation.inputs
        for body in operation.bodies.values():
            yield from _reads(body.operations)
            yield from (name for name, _ in body.outputs)


@dataclass(frozen=True)
class _Affine:
    """A scale and an offset of each channel, written as one node or two.

    Attributes:
        scale: The scale, broadcastable to the normalized tensor.
        offset: The offset likewise.
        nodes: The nodes that write them, in order.
    """

    scale: NDArray[np.float64]
    offset: NDArray[np.float64]
    nodes: list[Operation]


def _fold(b: Builder, operations: list[Operation], reads: Counter[str], places: dict[str, int]) -> None:
    reader = {name: operation for operation in operations for name in operation.inputs if reads[name] == 1}
    folded: set[str] = set()
    for operation in operations:
        for body in operation.bodies.values():
            _fold(b, body.operations, reads, places)
        if not _is_linear(b, operation):
            continue
        place = places[operation.inputs[1]]
        while (found := _affine_after(b, operation, reader)) is not None and _absorb(b, operation, found):
            places.update((name, place) for name in operation.inputs[1:] if name not in places)
            operation.outputs = found.nodes[-1].outputs
            folded.update(node.name for node in found.nodes)
    operations[:] = [operation for operation in operations if operation.name not in folded]


def _is_linear(b: Builder, operation: Operation) -> bool:
    """Whether an operator multiplies by a constant kernel and adds at most a constant bias."""
    if operation.type not in _CHANNELS or not b.constants.keys() >= set(operation.inputs[1:]):
        return False
    return operation.attributes.keys().isdisjoint(_NOT_PLAIN[operation.type])


def _affine_after(b: Builder, operation: Operation, reader: dict[str, Operation]) -> _Affine | None:
    first = reader.get(operation.outputs[0])
    if first is None or first.inputs[0] != operation.outputs[0] or len(first.inputs) == 1 or first.inputs[1] not in b.exact:
        return None
    array = b.exact[first.inputs[1]]
    if first.type == "BatchNormalization":
        shape = (-1, *[1] * (b.constants[operation.inputs[1]].ndim - 2))
        return _Affine(array.reshape(shape), b.exact[first.inputs[2]].reshape(shape), [first])
    second = reader.get(first.outputs[0])
    if second is None or len(second.inputs) != 2 or second.inputs[1] not in b.exact:
        return None
    other = b.exact[second.inputs[1]]
    match first.type, second.type:
        case "Mul", "Add":
            return _Affine(array, other, [first, second])
        case "Sub", "Mul":
            return _Affine(other, -array * other, [first, second])
    return None


def _absorb(b: Builder, operation: Operation, affine: _Affine) -> bool:
    """Replace the kernel and bias of a linear operator; returns whether the scale and offset are per channel."""
    axis, channel = _CHANNELS[operation.type]
    kernel, *bias = (b.constants[name] for name in operation.inputs[1:])
    scale, offset = (_per_channel(array, kernel.ndim, channel, kernel.shape[axis]) for array in (affine.scale, affine.offset))
    if scale is None or offset is None:
        return False
    shape = [-1 if place == axis else 1 for place in range(kernel.ndim)]
    before = bias[0] if bias else 0.0
    replaced = {"kernel": kernel * scale.reshape(shape), "bias": before * scale + offset}
    with b.at(operation.scope):
        operation.inputs[1:] = [b.constant(array, name, np.float32) for name, array in replaced.items()]
    return True


def _per_channel(array: NDArray[np.float64], rank: int, channel: int, size: int) -> NDArray[np.float64] | None:
    """The element of each channel; None if the array varies along another axis."""
    shape = (1,) * (rank - array.ndim) + array.shape
    if array.ndim > rank or any(length != 1 for place, length in enumerate(shape) if place != channel):
        return None
    return np.broadcast_to(array.ravel(), (size,))
